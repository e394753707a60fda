#pragma once

#include <sonde/layers/raw.hpp>

namespace sonde {

/// SCTP (RFC 9260), with Scapy's names: a common header and chunks, each a layer. `len` is computed and does
/// not count the padding to a multiple of 4.

struct sctp_chunk_types {
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
using sctp_chunk_type = enumerated<std::uint8_t, sctp_chunk_types>;

/// The common header (RFC 9260 §3.1). `sport` is the engine's own in `sr*`, else 0; `chksum` is CRC32c. An
/// answer comes from the other end with the verification tag that an INIT asked for (§8.5), or, reflected,
/// with ours (§8.4).
struct SCTP {
    field<std::uint16_t> dport = 0;
    field<std::uint16_t> sport{};
    field<std::uint32_t> tag = 0;
    field<std::uint32_t> chksum{};
};
SONDE_DECLARE_LAYER(SCTP, sport, dport, tag, chksum)
layer_hooks hooks(SCTP const*);

/// Parameters of INIT, INIT ACK and heartbeats (RFC 9260 §3.3.2.1): layers inside a field.
struct sctp_parameters : encoded_list<256> {
    sctp_parameters() = default;
    template <layer... Parameter>
        requires(sizeof...(Parameter) > 0)
    sctp_parameters(Parameter const&... parameter) {
        (add(packet(parameter)), ...);
    }
    static option_codec const& codec();

private:
    void add(packet const& parameter);
};

/// Payload data (RFC 9260 §3.3.1).
struct SCTPChunkData {
    field<octets> data{};
    field<std::uint32_t> tsn{};
    field<std::uint16_t> stream_id{}, stream_seq{};
    field<std::uint32_t> proto_id{};
    field<bits<1>> delay_sack = 0, unordered = 0, beginning = 0, ending = 0;
    field<bits<4>> reserved{};
    field<std::uint16_t> len{};
    field<sctp_chunk_type> type = 0;
};
SONDE_DECLARE_LAYER(SCTPChunkData, type, reserved, delay_sack, unordered, beginning, ending, len, tsn,
                    stream_id, stream_seq, proto_id, data)
layer_hooks hooks(SCTPChunkData const*);

/// Initiation (RFC 9260 §3.3.2).
struct SCTPChunkInit {
    field<std::uint32_t> init_tag{}, a_rwnd{};
    field<std::uint16_t> n_out_streams{}, n_in_streams{};
    field<std::uint32_t> init_tsn{};
    sctp_parameters params{};
    field<std::uint8_t> flags{};
    field<std::uint16_t> len{};
    field<sctp_chunk_type> type = 1;
};
SONDE_DECLARE_LAYER(SCTPChunkInit, type, flags, len, init_tag, a_rwnd, n_out_streams, n_in_streams, init_tsn,
                    params)
layer_hooks hooks(SCTPChunkInit const*);

/// Initiation acknowledgement (RFC 9260 §3.3.3).
struct SCTPChunkInitAck {
    field<std::uint32_t> init_tag{}, a_rwnd{};
    field<std::uint16_t> n_out_streams{}, n_in_streams{};
    field<std::uint32_t> init_tsn{};
    sctp_parameters params{};
    field<std::uint8_t> flags{};
    field<std::uint16_t> len{};
    field<sctp_chunk_type> type = 2;
};
SONDE_DECLARE_LAYER(SCTPChunkInitAck, type, flags, len, init_tag, a_rwnd, n_out_streams, n_in_streams,
                    init_tsn, params)
layer_hooks hooks(SCTPChunkInitAck const*);

/// Blocks of received numbers, from and to, relative to `cumul_tsn_ack` (RFC 9260 §3.3.4): `["2:4", "6:6"]`.
struct sctp_gaps : encoded_list<128> {
    static option_codec const& codec();
};
/// Numbers of 32 bits.
struct sctp_numbers : encoded_list<128> {
    static option_codec const& codec();
};

/// Selective acknowledgement (RFC 9260 §3.3.4). Gaps and duplicates as bytes.
struct SCTPChunkSACK {
    field<std::uint32_t> cumul_tsn_ack{}, a_rwnd{};
    field<std::uint16_t> n_gap_ack{}, n_dup_tsn{};
    sctp_gaps gap_ack_list{};
    sctp_numbers dup_tsn_list{};
    field<std::uint8_t> flags{};
    field<std::uint16_t> len{};
    field<sctp_chunk_type> type = 3;
};
SONDE_DECLARE_LAYER(SCTPChunkSACK, type, flags, len, cumul_tsn_ack, a_rwnd, n_gap_ack, n_dup_tsn,
                    gap_ack_list, dup_tsn_list)
layer_hooks hooks(SCTPChunkSACK const*);

/// Heartbeat request (RFC 9260 §3.3.5).
struct SCTPChunkHeartbeatReq {
    sctp_parameters params{};
    field<std::uint8_t> flags{};
    field<std::uint16_t> len{};
    field<sctp_chunk_type> type = 4;
};
SONDE_DECLARE_LAYER(SCTPChunkHeartbeatReq, type, flags, len, params)
layer_hooks hooks(SCTPChunkHeartbeatReq const*);

/// Heartbeat acknowledgement (RFC 9260 §3.3.6).
struct SCTPChunkHeartbeatAck {
    sctp_parameters params{};
    field<std::uint8_t> flags{};
    field<std::uint16_t> len{};
    field<sctp_chunk_type> type = 5;
};
SONDE_DECLARE_LAYER(SCTPChunkHeartbeatAck, type, flags, len, params)
layer_hooks hooks(SCTPChunkHeartbeatAck const*);

/// Abort (RFC 9260 §3.3.7). `TCB`: the T bit, the tag is reflected.
struct SCTPChunkAbort {
    field<octets> error_causes{};
    field<bits<1>> TCB = 0;
    field<bits<7>> reserved{};
    field<std::uint16_t> len{};
    field<sctp_chunk_type> type = 6;
};
SONDE_DECLARE_LAYER(SCTPChunkAbort, type, reserved, TCB, len, error_causes)
layer_hooks hooks(SCTPChunkAbort const*);

/// Shutdown (RFC 9260 §3.3.8).
struct SCTPChunkShutdown {
    field<std::uint32_t> cumul_tsn_ack{};
    field<std::uint8_t> flags{};
    field<std::uint16_t> len = 8;
    field<sctp_chunk_type> type = 7;
};
SONDE_DECLARE_LAYER(SCTPChunkShutdown, type, flags, len, cumul_tsn_ack)
layer_hooks hooks(SCTPChunkShutdown const*);

/// Shutdown acknowledgement (RFC 9260 §3.3.9).
struct SCTPChunkShutdownAck {
    field<std::uint8_t> flags{};
    field<std::uint16_t> len = 4;
    field<sctp_chunk_type> type = 8;
};
SONDE_DECLARE_LAYER(SCTPChunkShutdownAck, type, flags, len)
layer_hooks hooks(SCTPChunkShutdownAck const*);

/// Operation error (RFC 9260 §3.3.10).
struct SCTPChunkError {
    field<octets> error_causes{};
    field<std::uint8_t> flags{};
    field<std::uint16_t> len{};
    field<sctp_chunk_type> type = 9;
};
SONDE_DECLARE_LAYER(SCTPChunkError, type, flags, len, error_causes)
layer_hooks hooks(SCTPChunkError const*);

/// Cookie echo (RFC 9260 §3.3.11).
struct SCTPChunkCookieEcho {
    field<octets> cookie{};
    field<std::uint8_t> flags{};
    field<std::uint16_t> len{};
    field<sctp_chunk_type> type = 10;
};
SONDE_DECLARE_LAYER(SCTPChunkCookieEcho, type, flags, len, cookie)
layer_hooks hooks(SCTPChunkCookieEcho const*);

/// Cookie acknowledgement (RFC 9260 §3.3.12).
struct SCTPChunkCookieAck {
    field<std::uint8_t> flags{};
    field<std::uint16_t> len = 4;
    field<sctp_chunk_type> type = 11;
};
SONDE_DECLARE_LAYER(SCTPChunkCookieAck, type, flags, len)
layer_hooks hooks(SCTPChunkCookieAck const*);

/// Shutdown complete (RFC 9260 §3.3.13).
struct SCTPChunkShutdownComplete {
    field<bits<1>> TCB = 0;
    field<bits<7>> reserved{};
    field<std::uint16_t> len = 4;
    field<sctp_chunk_type> type = 14;
};
SONDE_DECLARE_LAYER(SCTPChunkShutdownComplete, type, reserved, TCB, len)
layer_hooks hooks(SCTPChunkShutdownComplete const*);

/// Heartbeat information.
struct SCTPChunkParamHeartbeatInfo {
    field<octets> data{};
    field<std::uint16_t> len{};
    field<std::uint16_t> type = 1;
};
SONDE_DECLARE_LAYER(SCTPChunkParamHeartbeatInfo, type, len, data)
layer_hooks hooks(SCTPChunkParamHeartbeatInfo const*);

/// An IPv4 address of the sender.
struct SCTPChunkParamIPv4Addr {
    field<ipv4> addr = ipv4(0x7f000001);
    field<std::uint16_t> len = 8;
    field<std::uint16_t> type = 5;
};
SONDE_DECLARE_LAYER(SCTPChunkParamIPv4Addr, type, len, addr)
layer_hooks hooks(SCTPChunkParamIPv4Addr const*);

/// An IPv6 address of the sender.
struct SCTPChunkParamIPv6Addr {
    field<ipv6> addr = ipv6("::1");
    field<std::uint16_t> len = 20;
    field<std::uint16_t> type = 6;
};
SONDE_DECLARE_LAYER(SCTPChunkParamIPv6Addr, type, len, addr)
layer_hooks hooks(SCTPChunkParamIPv6Addr const*);

/// State cookie.
struct SCTPChunkParamStateCookie {
    field<octets> cookie{};
    field<std::uint16_t> len{};
    field<std::uint16_t> type = 7;
};
SONDE_DECLARE_LAYER(SCTPChunkParamStateCookie, type, len, cookie)
layer_hooks hooks(SCTPChunkParamStateCookie const*);

/// A parameter that was not recognized (Scapy's spelling).
struct SCTPChunkParamUnrocognizedParam {
    field<octets> param{};
    field<std::uint16_t> len{};
    field<std::uint16_t> type = 8;
};
SONDE_DECLARE_LAYER(SCTPChunkParamUnrocognizedParam, type, len, param)
layer_hooks hooks(SCTPChunkParamUnrocognizedParam const*);

/// Cookie preservative, in milliseconds.
struct SCTPChunkParamCookiePreservative {
    field<std::uint32_t> sug_cookie_inc{};
    field<std::uint16_t> len = 8;
    field<std::uint16_t> type = 9;
};
SONDE_DECLARE_LAYER(SCTPChunkParamCookiePreservative, type, len, sug_cookie_inc)
layer_hooks hooks(SCTPChunkParamCookiePreservative const*);

/// Host name address.
struct SCTPChunkParamHostname {
    field<octets> hostname{};
    field<std::uint16_t> len{};
    field<std::uint16_t> type = 11;
};
SONDE_DECLARE_LAYER(SCTPChunkParamHostname, type, len, hostname)
layer_hooks hooks(SCTPChunkParamHostname const*);

/// Reserved for ECN.
struct SCTPChunkParamECNCapable {
    field<std::uint16_t> len = 4;
    field<std::uint16_t> type = 32768;
};
SONDE_DECLARE_LAYER(SCTPChunkParamECNCapable, type, len)
layer_hooks hooks(SCTPChunkParamECNCapable const*);

/// Forward TSN supported (RFC 3758 §3.1).
struct SCTPChunkParamFwdTSN {
    field<std::uint16_t> len = 4;
    field<std::uint16_t> type = 49152;
};
SONDE_DECLARE_LAYER(SCTPChunkParamFwdTSN, type, len)
layer_hooks hooks(SCTPChunkParamFwdTSN const*);

/// Adaptation layer indication (RFC 5061 §4.2.6).
struct SCTPChunkParamAdaptationLayer {
    field<std::uint32_t> indication{};
    field<std::uint16_t> len = 8;
    field<std::uint16_t> type = 49158;
};
SONDE_DECLARE_LAYER(SCTPChunkParamAdaptationLayer, type, len, indication)
layer_hooks hooks(SCTPChunkParamAdaptationLayer const*);

}  // namespace sonde
