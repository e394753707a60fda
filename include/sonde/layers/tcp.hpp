#pragma once

#include <sonde/packet/packet.hpp>

#include <initializer_list>

SONDE_NAMESPACE_BEGIN

/// Bits of TCP.flags (IANA), one letter each as with Scapy. N is NS (RFC 3540).
struct tcp_flag_names {
    /// One for each bit, the lowest first.
    static constexpr std::array<std::string_view, 9> names{"F", "S", "R", "P", "A", "U", "E", "C", "N"};
};
/// "S", "SA", "FPU" …: FIN SYN RST PSH ACK URG ECE CWR NS.
using tcp_flags = flag_set<tcp_flag_names>;

/// One encoded TCP option.
class tcp_option {
public:
    /// End of the list (kind 0).
    static tcp_option eol();
    /// No operation (kind 1).
    static tcp_option nop();
    /// Maximum segment size in bytes (kind 2, RFC 9293).
    static tcp_option mss(std::uint16_t bytes);
    /// Window scale as a shift count (kind 3, RFC 7323).
    static tcp_option window_scale(std::uint8_t shift);
    /// Selective acknowledgements permitted (kind 4, RFC 2018).
    static tcp_option sack_permitted();
    /// Timestamps (kind 8, RFC 7323).
    static tcp_option timestamps(std::uint32_t value, std::uint32_t echo);
    /// Any option: kind, then length, then data. Throws header_too_long over 38 bytes of data.
    static tcp_option generic(std::uint8_t kind, std::span<std::byte const> data);

    /// Its bytes; valid as long as the option is.
    std::string_view encoded() const { return {data_, size_}; }

private:
    static tcp_option nop_or_eol(std::uint8_t kind);
    void append(std::uint64_t value, unsigned octets);
    char data_[40]{};
    std::uint8_t size_ = 0;
};

/// TCP options, encoded: up to 40 bytes, padded with EOL to a multiple of 4 when the packet is built.
/// `TCP{.options = {tcp_option::mss(1460), tcp_option::nop()}}`
struct tcp_options : option_bytes {
    tcp_options() = default;
    /// One behind the other. Throws header_too_long over 40 bytes.
    template <std::same_as<tcp_option>... O>
        requires(sizeof...(O) > 0)
    tcp_options(O const&... option) {
        (append(option.encoded()), ...);
    }
    /// Encoded options, as they lie in the header. Throws header_too_long over 40 bytes.
    tcp_options(std::span<std::byte const> encoded) {
        append({reinterpret_cast<char const*>(encoded.data()), encoded.size()});
    }
    /// As expressions have them: `[("MSS", 1460), ("NOP", None)]`.
    static option_codec const& codec();
};

/// TCP (RFC 9293). `sport` and `seq` are the engine's own in `sr*`, else 20 and 0; `dataofs` and `chksum`
/// computed.
struct TCP {
    field<std::uint16_t, 80> dport{};    ///< automatic: what SONDE_BIND says of the layer inside, else 80
    field<std::uint16_t, 20> sport{};    ///< built alone below DNS: 53
    field<tcp_flags> flags = "S";        ///< a SYN unless told
    field<std::uint32_t> seq{};          ///< of the SYN, or of the first byte of data
    field<std::uint32_t> ack = 0;        ///< the next sequence number wanted; counts with flag A
    field<std::uint16_t> window = 8192;  ///< bytes that the sender takes, before any scaling (RFC 7323 §2)
    tcp_options options{};               ///< behind `urgptr`
    field<std::uint16_t> urgptr = 0;     ///< where urgent data ends, counted from `seq`; counts with flag U
    field<std::uint16_t> chksum{};       ///< with the addresses below; automatic: 0 without IP or IPv6
    field<bits<4>> dataofs{};     ///< words of 4 bytes; automatic: build() throws header_too_long over 15
    field<bits<3>> reserved = 0;  ///< 0; the fourth bit that RFC 9293 reserves is flag N
};
SONDE_DECLARE_LAYER(TCP, sport, dport, seq, ack, dataofs, reserved, flags, window, chksum, urgptr, options)
layer_hooks hooks(TCP const*);  ///< lengths, checksum, names of ports, matching, summary

/// TCP as an ICMP error quotes it, of which 8 bytes are enough; fields that were cut off hold their defaults
/// (`flags` "S").
using TCPerror = quoted<TCP>;

SONDE_NAMESPACE_END
