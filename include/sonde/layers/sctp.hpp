#pragma once

#include <sonde/layers/raw.hpp>

SONDE_NAMESPACE_BEGIN

// SCTP (RFC 9260), with Scapy's names: a common header and chunks, each a layer. `len` is computed and does
// not count the padding to a multiple of 4. Other fields without a default are 0 when left out.

/// SCTP chunk types (IANA), as Scapy names them.
struct sctp_chunk_types {
    /// By number, ascending.
    static constexpr std::array<value_name, 16> names{{{0, "data"},
                                                       {1, "init"},
                                                       {2, "init-ack"},
                                                       {3, "sack"},
                                                       {4, "heartbeat-req"},
                                                       {5, "heartbeat-ack"},
                                                       {6, "abort"},
                                                       {7, "shutdown"},
                                                       {8, "shutdown-ack"},
                                                       {9, "error"},
                                                       {10, "cookie-echo"},
                                                       {11, "cookie-ack"},
                                                       {14, "shutdown-complete"},
                                                       {15, "authentication"},
                                                       {0x80, "address-configuration-ack"},
                                                       {0xc1, "address-configuration"}}};
};
/// A chunk's first octet: a number, or a name of `sctp_chunk_types`.
using sctp_chunk_type = enumerated<std::uint8_t, sctp_chunk_types>;

/// The common header (RFC 9260 §3.1). `sport` is the engine's own in `sr*`, else 0; `chksum` is CRC32c. An
/// answer comes from the other end with the verification tag that an INIT asked for (§8.5), or, reflected,
/// with ours (§8.4).
struct SCTP {
    field<std::uint16_t> dport = 0;  ///< the receiver's port
    field<std::uint16_t> sport{};    ///< the sender's port
    field<std::uint32_t> tag = 0;  ///< verification tag: the `init_tag` of the receiver; 0 with INIT (§8.5.1)
    field<std::uint32_t> chksum{};  ///< computed: over header and chunks, itself being 0 (§6.8)
};
SONDE_DECLARE_LAYER(SCTP, sport, dport, tag, chksum)
/// Checksum, matching by ports, tag and chunks, and what of it proves an ICMP error: ports and tag.
layer_hooks hooks(SCTP const*);

/// Parameters of INIT, INIT ACK and heartbeats (RFC 9260 §3.2.1, §3.3.2.1): layers inside a field.
/// `SCTPChunkInit{.params = {SCTPChunkParamIPv4Addr{.addr = "192.0.2.1"}, SCTPChunkParamECNCapable{}}}`
struct sctp_parameters : encoded_list<256> {
    sctp_parameters() = default;
    /// Builds each, padded to a multiple of 4 octets. Throws header_too_long over 256 octets together, and
    /// what `packet::build` throws.
    template <layer... Parameter>
        requires(sizeof...(Parameter) > 0)
    sctp_parameters(Parameter const&... parameter) {
        (add(packet(parameter)), ...);
    }
    /// Entries print as `SCTPChunkParam..(..)`, types without a layer of their own as
    /// SCTPChunkParamHeartbeatInfo. What these would not build again stays bytes, as a last parameter does
    /// that `len` tells without its padding.
    static option_codec const& codec();

private:
    void add(packet const& parameter);
};

/// Payload data (RFC 9260 §3.3.1).
struct SCTPChunkData {
    field<octets> data{};        ///< user data; zeros follow to a multiple of 4, which `len` does not count
    field<std::uint32_t> tsn{};  ///< transmission sequence number
    /// The stream, and the message's number within it.
    /// @{
    field<std::uint16_t> stream_id{}, stream_seq{};
    /// @}
    field<std::uint32_t> proto_id{};  ///< payload protocol identifier (IANA); 0: unspecified
    /// The flags I (acknowledge without delay), U (unordered: `stream_seq` means nothing), B and E (first and
    /// last fragment of a message; both: all of it).
    /// @{
    field<bits<1>> delay_sack = 0, unordered = 0, beginning = 0, ending = 0;
    /// @}
    field<bits<4>> reserved{};        ///< the other flags
    field<std::uint16_t> len{};       ///< computed: octets of the chunk, 16 more than `data`
    field<sctp_chunk_type> type = 0;  ///< "data"
};
SONDE_DECLARE_LAYER(SCTPChunkData, type, reserved, delay_sack, unordered, beginning, ending, len, tsn,
                    stream_id, stream_seq, proto_id, data)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkData const*);

/// Initiation (RFC 9260 §3.3.2).
struct SCTPChunkInit {
    /// The tag that the peer's packets shall carry, not 0; and the octets that the sender has room for.
    /// @{
    field<std::uint32_t> init_tag{}, a_rwnd{};
    /// @}
    /// Streams that the sender wants to send on, and the most that it takes; neither may be 0.
    /// @{
    field<std::uint16_t> n_out_streams{}, n_in_streams{};
    /// @}
    field<std::uint32_t> init_tsn{};  ///< `tsn` of the sender's first DATA chunk
    sctp_parameters params{};         ///< in wire order
    field<std::uint8_t> flags{};      ///< reserved
    field<std::uint16_t> len{};  ///< computed: octets of the chunk, the last parameter's padding among them
    field<sctp_chunk_type> type = 1;  ///< "init"
};
SONDE_DECLARE_LAYER(SCTPChunkInit, type, flags, len, init_tag, a_rwnd, n_out_streams, n_in_streams, init_tsn,
                    params)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkInit const*);

/// Initiation acknowledgement (RFC 9260 §3.3.3).
struct SCTPChunkInitAck {
    /// The tag that the peer's packets shall carry, not 0; and the octets that the sender has room for.
    /// @{
    field<std::uint32_t> init_tag{}, a_rwnd{};
    /// @}
    /// Streams that the sender wants to send on, and the most that it takes; neither may be 0.
    /// @{
    field<std::uint16_t> n_out_streams{}, n_in_streams{};
    /// @}
    field<std::uint32_t> init_tsn{};  ///< `tsn` of the sender's first DATA chunk
    sctp_parameters params{};         ///< in wire order
    field<std::uint8_t> flags{};      ///< reserved
    field<std::uint16_t> len{};  ///< computed: octets of the chunk, the last parameter's padding among them
    field<sctp_chunk_type> type = 2;  ///< "init-ack"
};
SONDE_DECLARE_LAYER(SCTPChunkInitAck, type, flags, len, init_tag, a_rwnd, n_out_streams, n_in_streams,
                    init_tsn, params)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkInitAck const*);

/// Blocks of received numbers, from and to, relative to `cumul_tsn_ack` (RFC 9260 §3.3.4): `["2:4", "6:6"]`.
struct sctp_gaps : encoded_list<128> {
    /// Entries are text "from:to" of two numbers of 16 bits; C++ has `assign`, of 4 octets for each.
    static option_codec const& codec();
};
/// Numbers of 32 bits: `[1, 255]`.
struct sctp_numbers : encoded_list<128> {
    /// Entries are numbers, which show() prints in hexadecimal; C++ has `assign`, of 4 octets for each.
    static option_codec const& codec();
};

/// Selective acknowledgement (RFC 9260 §3.3.4).
struct SCTPChunkSACK {
    /// The last TSN received before the first gap, and the octets that the sender still has room for.
    /// @{
    field<std::uint32_t> cumul_tsn_ack{}, a_rwnd{};
    /// @}
    /// Computed: the entries of the two lists.
    /// @{
    field<std::uint16_t> n_gap_ack{}, n_dup_tsn{};
    /// @}
    sctp_gaps gap_ack_list{};         ///< what arrived behind gaps; read as far as `n_gap_ack` tells
    sctp_numbers dup_tsn_list{};      ///< each TSN once for every further copy; read up to the chunk's end
    field<std::uint8_t> flags{};      ///< reserved
    field<std::uint16_t> len{};       ///< computed: octets of the chunk
    field<sctp_chunk_type> type = 3;  ///< "sack"
};
SONDE_DECLARE_LAYER(SCTPChunkSACK, type, flags, len, cumul_tsn_ack, a_rwnd, n_gap_ack, n_dup_tsn,
                    gap_ack_list, dup_tsn_list)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkSACK const*);

/// Heartbeat request (RFC 9260 §3.3.5).
struct SCTPChunkHeartbeatReq {
    sctp_parameters params{};     ///< one: SCTPChunkParamHeartbeatInfo
    field<std::uint8_t> flags{};  ///< reserved
    field<std::uint16_t> len{};   ///< computed: octets of the chunk, the last parameter's padding among them
    field<sctp_chunk_type> type = 4;  ///< "heartbeat-req"
};
SONDE_DECLARE_LAYER(SCTPChunkHeartbeatReq, type, flags, len, params)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkHeartbeatReq const*);

/// Heartbeat acknowledgement (RFC 9260 §3.3.6).
struct SCTPChunkHeartbeatAck {
    sctp_parameters params{};     ///< the request's, unchanged
    field<std::uint8_t> flags{};  ///< reserved
    field<std::uint16_t> len{};   ///< computed: octets of the chunk, the last parameter's padding among them
    field<sctp_chunk_type> type = 5;  ///< "heartbeat-ack"
};
SONDE_DECLARE_LAYER(SCTPChunkHeartbeatAck, type, flags, len, params)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkHeartbeatAck const*);

/// Abort (RFC 9260 §3.3.7).
struct SCTPChunkAbort {
    field<octets> error_causes{};  ///< one behind the other, encoded (§3.3.10); zeros follow as in DATA
    field<bits<1>> TCB = 0;      ///< the T bit: the sender knew no association and reflects the tag (§8.5.1)
    field<bits<7>> reserved{};   ///< the other flags
    field<std::uint16_t> len{};  ///< computed: octets of the chunk, 4 more than the causes
    field<sctp_chunk_type> type = 6;  ///< "abort"
};
SONDE_DECLARE_LAYER(SCTPChunkAbort, type, reserved, TCB, len, error_causes)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkAbort const*);

/// Shutdown (RFC 9260 §3.3.8).
struct SCTPChunkShutdown {
    field<std::uint32_t> cumul_tsn_ack{};  ///< the last TSN received before any gap
    field<std::uint8_t> flags{};           ///< reserved
    field<std::uint16_t> len = 8;          ///< octets of the chunk; always 8, not computed
    field<sctp_chunk_type> type = 7;       ///< "shutdown"
};
SONDE_DECLARE_LAYER(SCTPChunkShutdown, type, flags, len, cumul_tsn_ack)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkShutdown const*);

/// Shutdown acknowledgement (RFC 9260 §3.3.9).
struct SCTPChunkShutdownAck {
    field<std::uint8_t> flags{};      ///< reserved
    field<std::uint16_t> len = 4;     ///< octets of the chunk; always 4, not computed
    field<sctp_chunk_type> type = 8;  ///< "shutdown-ack"
};
SONDE_DECLARE_LAYER(SCTPChunkShutdownAck, type, flags, len)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkShutdownAck const*);

/// Operation error (RFC 9260 §3.3.10).
struct SCTPChunkError {
    field<octets> error_causes{};     ///< one behind the other, encoded; zeros follow as in DATA
    field<std::uint8_t> flags{};      ///< reserved
    field<std::uint16_t> len{};       ///< computed: octets of the chunk, 4 more than the causes
    field<sctp_chunk_type> type = 9;  ///< "error"
};
SONDE_DECLARE_LAYER(SCTPChunkError, type, flags, len, error_causes)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkError const*);

/// Cookie echo (RFC 9260 §3.3.11).
struct SCTPChunkCookieEcho {
    field<octets> cookie{};            ///< the state cookie of the INIT ACK; zeros follow as in DATA
    field<std::uint8_t> flags{};       ///< reserved
    field<std::uint16_t> len{};        ///< computed: octets of the chunk, 4 more than the cookie
    field<sctp_chunk_type> type = 10;  ///< "cookie-echo"
};
SONDE_DECLARE_LAYER(SCTPChunkCookieEcho, type, flags, len, cookie)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkCookieEcho const*);

/// Cookie acknowledgement (RFC 9260 §3.3.12).
struct SCTPChunkCookieAck {
    field<std::uint8_t> flags{};       ///< reserved
    field<std::uint16_t> len = 4;      ///< octets of the chunk; always 4, not computed
    field<sctp_chunk_type> type = 11;  ///< "cookie-ack"
};
SONDE_DECLARE_LAYER(SCTPChunkCookieAck, type, flags, len)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkCookieAck const*);

/// Shutdown complete (RFC 9260 §3.3.13).
struct SCTPChunkShutdownComplete {
    field<bits<1>> TCB = 0;            ///< the T bit: the sender knew no association and reflects the tag
    field<bits<7>> reserved{};         ///< the other flags
    field<std::uint16_t> len = 4;      ///< octets of the chunk; always 4, not computed
    field<sctp_chunk_type> type = 14;  ///< "shutdown-complete"
};
SONDE_DECLARE_LAYER(SCTPChunkShutdownComplete, type, reserved, TCB, len)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkShutdownComplete const*);

/// Heartbeat information (RFC 9260 §3.3.5); any parameter too that has no layer of its own.
struct SCTPChunkParamHeartbeatInfo {
    field<octets> data{};           ///< the sender's own, given back as it is; zeros follow as in DATA
    field<std::uint16_t> len{};     ///< computed: octets of the parameter, 4 more than `data`
    field<std::uint16_t> type = 1;  ///< heartbeat information
};
SONDE_DECLARE_LAYER(SCTPChunkParamHeartbeatInfo, type, len, data)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamHeartbeatInfo const*);

/// An IPv4 address of the sender (RFC 9260 §3.3.2.1).
struct SCTPChunkParamIPv4Addr {
    field<ipv4> addr = ipv4(0x7f000001);  ///< Scapy's default
    field<std::uint16_t> len = 8;         ///< octets of the parameter
    field<std::uint16_t> type = 5;        ///< IPv4 address
};
SONDE_DECLARE_LAYER(SCTPChunkParamIPv4Addr, type, len, addr)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamIPv4Addr const*);

/// An IPv6 address of the sender (RFC 9260 §3.3.2.1).
struct SCTPChunkParamIPv6Addr {
    field<ipv6> addr = ipv6("::1");  ///< Scapy's default
    field<std::uint16_t> len = 20;   ///< octets of the parameter
    field<std::uint16_t> type = 6;   ///< IPv6 address
};
SONDE_DECLARE_LAYER(SCTPChunkParamIPv6Addr, type, len, addr)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamIPv6Addr const*);

/// State cookie of an INIT ACK (RFC 9260 §3.3.3.1).
struct SCTPChunkParamStateCookie {
    field<octets> cookie{};         ///< what the COOKIE ECHO shall give back; zeros follow as in DATA
    field<std::uint16_t> len{};     ///< computed: octets of the parameter, 4 more than the cookie
    field<std::uint16_t> type = 7;  ///< state cookie
};
SONDE_DECLARE_LAYER(SCTPChunkParamStateCookie, type, len, cookie)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamStateCookie const*);

/// A parameter of an INIT that was not recognized (RFC 9260 §3.3.3.1; Scapy's spelling).
struct SCTPChunkParamUnrocognizedParam {
    field<octets> param{};          ///< it, with its type and length; zeros follow as in DATA
    field<std::uint16_t> len{};     ///< computed: octets of the parameter, 4 more than `param`
    field<std::uint16_t> type = 8;  ///< unrecognized parameter
};
SONDE_DECLARE_LAYER(SCTPChunkParamUnrocognizedParam, type, len, param)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamUnrocognizedParam const*);

/// Cookie preservative (RFC 9260 §3.3.2.1): an INIT asks for a cookie that lives longer.
struct SCTPChunkParamCookiePreservative {
    field<std::uint32_t> sug_cookie_inc{};  ///< how much longer, in milliseconds
    field<std::uint16_t> len = 8;           ///< octets of the parameter
    field<std::uint16_t> type = 9;          ///< cookie preservative
};
SONDE_DECLARE_LAYER(SCTPChunkParamCookiePreservative, type, len, sug_cookie_inc)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamCookiePreservative const*);

/// Host name address (RFC 9260 §3.3.2.1): deprecated, and answered by ABORT.
struct SCTPChunkParamHostname {
    field<octets> hostname{};        ///< as text that ends with a zero octet, which is not added
    field<std::uint16_t> len{};      ///< computed: octets of the parameter, 4 more than the name
    field<std::uint16_t> type = 11;  ///< host name address
};
SONDE_DECLARE_LAYER(SCTPChunkParamHostname, type, len, hostname)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamHostname const*);

/// A list of numbers of type T, in wire order.
template <class T, std::size_t Capacity>
struct sctp_number_list : encoded_list<Capacity> {
    sctp_number_list() = default;
    /// The numbers. Throws value_out_of_range for one that T does not hold, header_too_long over `Capacity`
    /// octets.
    template <std::same_as<int>... N>
        requires(sizeof...(N) > 0)
    sctp_number_list(N... number) {
        (add(number), ...);
    }

private:
    void add(int number) {
        if (!std::in_range<T>(number))
            detail::throw_out_of_range(static_cast<long long>(number), 8 * sizeof(T));
        char octets[sizeof(T)];
        for (std::size_t i = 0; i < sizeof(T); ++i)
            octets[i] = static_cast<char>(number >> 8 * (sizeof(T) - 1 - i));
        this->append({octets, sizeof octets});
    }
};
/// Types of address parameters: 5, 6, or their names "IPv4", "IPv6".
struct sctp_address_types : sctp_number_list<std::uint16_t, 32> {
    using sctp_number_list::sctp_number_list;
    static option_codec const& codec();  ///< numbers, or names of parameters
};
/// Chunk types, as `sctp_chunk_types` names them.
struct sctp_chunk_list : sctp_number_list<std::uint8_t, 64> {
    using sctp_number_list::sctp_number_list;
    static option_codec const& codec();  ///< numbers, or names of chunks
};
/// Identifiers of HMAC functions (RFC 4895 §3.3): 1, "SHA-1"; 3, "SHA-256".
struct sctp_hmac_functions : sctp_number_list<std::uint16_t, 32> {
    using sctp_number_list::sctp_number_list;
    static option_codec const& codec();  ///< numbers, or names
};

/// The types of addresses that the sender understands (RFC 9260 §3.3.2.1).
struct SCTPChunkParamSupportedAddrTypes {
    sctp_address_types addr_type_list = 5;  ///< IPv4, Scapy's default
    field<std::uint16_t> len{};             ///< computed: octets of the parameter without the padding
    field<std::uint16_t> type = 12;         ///< supported address types
};
SONDE_DECLARE_LAYER(SCTPChunkParamSupportedAddrTypes, type, len, addr_type_list)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamSupportedAddrTypes const*);

/// The sender's part of the keys of authentication (RFC 4895 §3.1).
struct SCTPChunkParamRandom {
    field<octets> random{};             ///< 32 octets by the RFC; none unless told
    field<std::uint16_t> len{};         ///< computed: octets of the parameter without the padding
    field<std::uint16_t> type = 32770;  ///< 0x8002, random
};
SONDE_DECLARE_LAYER(SCTPChunkParamRandom, type, len, random)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamRandom const*);

/// The chunks that the sender wants authenticated (RFC 4895 §3.2).
struct SCTPChunkParamChunkList {
    sctp_chunk_list chunk_list{};       ///< chunk types
    field<std::uint16_t> len{};         ///< computed: octets of the parameter without the padding
    field<std::uint16_t> type = 32771;  ///< 0x8003, chunk list
};
SONDE_DECLARE_LAYER(SCTPChunkParamChunkList, type, len, chunk_list)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamChunkList const*);

/// The functions that the sender can authenticate by (RFC 4895 §3.3).
struct SCTPChunkParamRequestedHMACFunctions {
    sctp_hmac_functions HMAC_functions_list = 1;  ///< SHA-1, Scapy's default
    field<std::uint16_t> len{};                   ///< computed: octets of the parameter without the padding
    field<std::uint16_t> type = 32772;            ///< 0x8004, requested HMAC functions
};
SONDE_DECLARE_LAYER(SCTPChunkParamRequestedHMACFunctions, type, len, HMAC_functions_list)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamRequestedHMACFunctions const*);

/// The extensions that the sender knows, each by a chunk type of it (RFC 5061 §4.2.7).
struct SCTPChunkParamSupportedExtensions {
    sctp_chunk_list supported_extensions{0x0f, 0xc1, 0x80};  ///< AUTH, ASCONF and its ACK: Scapy's default
    field<std::uint16_t> len{};         ///< computed: octets of the parameter without the padding
    field<std::uint16_t> type = 32776;  ///< 0x8008, supported extensions
};
SONDE_DECLARE_LAYER(SCTPChunkParamSupportedExtensions, type, len, supported_extensions)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamSupportedExtensions const*);

/// Reserved for ECN (RFC 9260 §3.3.2).
struct SCTPChunkParamECNCapable {
    field<std::uint16_t> len = 4;       ///< octets of the parameter
    field<std::uint16_t> type = 32768;  ///< 0x8000, reserved for ECN
};
SONDE_DECLARE_LAYER(SCTPChunkParamECNCapable, type, len)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamECNCapable const*);

/// Forward TSN supported (RFC 3758 §3.1).
struct SCTPChunkParamFwdTSN {
    field<std::uint16_t> len = 4;       ///< octets of the parameter
    field<std::uint16_t> type = 49152;  ///< 0xc000, forward TSN supported
};
SONDE_DECLARE_LAYER(SCTPChunkParamFwdTSN, type, len)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamFwdTSN const*);

/// Adaptation layer indication (RFC 5061 §4.2.6).
struct SCTPChunkParamAdaptationLayer {
    field<std::uint32_t> indication{};  ///< code point that the two ends agree on
    field<std::uint16_t> len = 8;       ///< octets of the parameter
    field<std::uint16_t> type = 49158;  ///< 0xc006, adaptation layer indication
};
SONDE_DECLARE_LAYER(SCTPChunkParamAdaptationLayer, type, len, indication)
/// Its size, as `len` tells, padded to a multiple of 4 octets.
layer_hooks hooks(SCTPChunkParamAdaptationLayer const*);

SONDE_NAMESPACE_END
