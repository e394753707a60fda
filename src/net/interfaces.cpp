#include <sonde/net/interfaces.hpp>

#include <algorithm>
#include <utility>

namespace sonde::inline v0 {
namespace {

template <class Interfaces, class Predicate>
kernel_interface const* first(Interfaces const& all, Predicate holds) {
    auto i = std::find_if(all.begin(), all.end(), holds);
    return i == all.end() ? nullptr : &*i;
}

bool has_ipv6_link(kernel_interface const& i) {
    return i.up && !i.loopback && std::any_of(i.addresses.begin(), i.addresses.end(), [](auto const& a) {
               return a.address.is_v6() && a.address.v6().is_link_local();
           });
}

}  // namespace

interface_table::interface_table(std::vector<kernel_interface> interfaces)
    : interfaces_(std::move(interfaces)) {
    std::sort(interfaces_.begin(), interfaces_.end(),
              [](auto const& a, auto const& b) { return a.index < b.index; });
}

kernel_interface const* interface_table::find(int index) const {
    auto i = std::lower_bound(interfaces_.begin(), interfaces_.end(), index,
                              [](kernel_interface const& a, int wanted) { return a.index < wanted; });
    return i == interfaces_.end() || i->index != index ? nullptr : &*i;
}

kernel_interface const* interface_table::find(std::string_view name) const {
    return first(interfaces_, [&](auto const& i) { return i.name == name; });
}

kernel_interface const* interface_table::find(ip_address const& own) const {
    return first(interfaces_, [&](auto const& i) {
        return std::any_of(i.addresses.begin(), i.addresses.end(),
                           [&](auto const& a) { return a.address == own; });
    });
}

kernel_interface const* interface_table::loopback() const {
    return first(interfaces_, [](auto const& i) { return i.loopback; });
}

kernel_interface const* interface_table::only_ipv6_link() const {
    auto* found = first(interfaces_, has_ipv6_link);
    return std::count_if(interfaces_.begin(), interfaces_.end(), has_ipv6_link) == 1 ? found : nullptr;
}

kernel_interface const* interface_table::default_interface(int default_route) const {
    if (auto* i = find(default_route)) return i;
    if (auto* i = first(interfaces_, [](auto const& up) { return up.up && !up.loopback; })) return i;
    return loopback();
}

}  // namespace sonde::inline v0
