#pragma once

#include <sonde/detail/namespace.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <string>
#include <string_view>
#include <type_traits>

SONDE_NAMESPACE_BEGIN

/// The error type of every asynchronous operation, as in Asio.
using error_code = boost::system::error_code;

/// What sonde itself can find wrong. Errors of the system keep the system's own codes and category.
/// Each message says what happened and what to do about it.
enum class errc {
    permission = 1,         ///< a raw or packet socket needs CAP_NET_RAW
    no_such_interface,      ///< no interface has this name or index
    interface_down,         ///< the interface is there, but down
    no_route,               ///< the kernel has no route to the destination
    no_neighbour,           ///< ARP or neighbour discovery got no answer
    host_not_found,         ///< a host name did not resolve
    bad_filter,             ///< the capture filter does not compile
    message_too_long,       ///< the packet is larger than the interface's MTU (EMSGSIZE)
    already_running,        ///< `next` was called while another `next` waits on the same stream
    table_full,             ///< the network has reached its limit of probes in flight
    identities_exhausted,   ///< every identity that could tell this probe from others is in use
    set_too_large,          ///< a set of packets was met where one packet, or fewer, were asked
    value_out_of_range,     ///< a number does not fit its field
    bad_text,               ///< text that is no address, flag set or name of the field's type
    no_such_layer,          ///< the packet, or the language, has no layer of this name
    no_such_field,          ///< the layer has no field of this name
    bad_expression,         ///< a packet expression that cannot be read
    not_a_single_value,     ///< a field was read, or taken along, as one value, but is a set
    bad_file,               ///< not a capture file, or damaged
    truncated_file,         ///< the file ends inside a record
    unsupported_link_type,  ///< frames of a link type that sonde does not read
    header_too_long,        ///< a header or option list grew over what its length field can say
    user_code_failed,  ///< a source of packets, or a layer's `answers`, threw an exception; `why()` has its
                       ///< text
    target_refused,    ///< a broadcast, multicast, unspecified or own address that nobody named
    target_blocked,    ///< the destination is on the network's block list, or not on its allow list
};

/// The category of `errc`; its name is "sonde".
boost::system::error_category const& sonde_category() noexcept;

/// Makes an `errc` an error_code; that happens by itself where one is wanted or compared.
inline error_code make_error_code(errc e) noexcept {
    return error_code(static_cast<int>(e), sonde_category());
}

/// What sonde throws where no operation could report an error_code: bad text, values out of range, misuse.
/// `what()` names the place, what was given and what was needed.
class error : public boost::system::system_error {
public:
    /// `what()` is the context, then the code's message.
    error(errc code, std::string const& context)
        : boost::system::system_error(make_error_code(code), context) {}
};

/// Throws `error`. Out of line, so that constexpr code which only names it stays small.
[[noreturn]] void throw_error(errc code, std::string_view context);

SONDE_NAMESPACE_END

/// An error_code is made from an `errc`, and compared with one, without a cast.
template <>
struct boost::system::is_error_code_enum<sonde::errc> : std::true_type {};
