#include <sonde/probe/target_policy.hpp>

namespace sonde::inline v0 {

std::string_view name_of(target_kind kind) noexcept {
    switch (kind) {
        case target_kind::host: return "host";
        case target_kind::broadcast: return "broadcast";
        case target_kind::multicast: return "multicast";
        case target_kind::unspecified: return "unspecified";
        case target_kind::own: return "own";
    }
    return "";
}

target_kind target_policy::kind_by_address(ip_address const& to) noexcept {
    switch (address_class_of(to)) {
        case address_class::unicast: break;
        case address_class::unspecified: return target_kind::unspecified;
        case address_class::loopback: return target_kind::own;
        case address_class::multicast: return target_kind::multicast;
        case address_class::broadcast: return target_kind::broadcast;
    }
    return target_kind::host;
}

bool target_policy::is_allowed(target_kind kind) const noexcept {
    switch (kind) {
        case target_kind::host: return true;
        case target_kind::broadcast: return options_.broadcast;
        case target_kind::multicast: return options_.multicast;
        case target_kind::unspecified: return options_.unspecified;
        case target_kind::own: return options_.own;
    }
    return false;
}

error_code target_policy::by_lists(ip_address const& to) const noexcept {
    bool stays_out = !allowed_.empty() && !allowed_.contains(to);
    return stays_out || blocked_.contains(to) ? make_error_code(errc::target_blocked) : error_code();
}

error_code target_policy::by_kind(target_kind kind, target_naming naming) const noexcept {
    bool named =
        naming == target_naming::written || (naming == target_naming::looked_up && kind == target_kind::own);
    return named || is_allowed(kind) ? error_code() : make_error_code(errc::target_refused);
}

}  // namespace sonde::inline v0
