#include <sonde/packet/address_set.hpp>
#include <sonde/packet/field.hpp>

#include <algorithm>

namespace sonde::inline v0 {
namespace {

using interval = address_set::interval;

void merge(std::vector<interval>& all) {
    std::ranges::sort(all, {}, &interval::first);
    std::size_t kept = 0;
    for (auto const& next : all)
        if (kept > 0 && next.first <= all[kept - 1].last)
            all[kept - 1].last = std::max(all[kept - 1].last, next.last);
        else
            all[kept++] = next;
    all.resize(kept);
}

}  // namespace

void address_set::add(std::string_view text) {
    bool v6 = ipv6::parse(text.substr(0, text.find('/'))).has_value();
    auto all = v6 ? random_ip6(text) : random_ip(text);
    (v6 ? v6_ : v4_).push_back({all.first, all.last});
}

void address_set::settle() {
    merge(v4_), merge(v6_);
}

address_set& address_set::operator|=(address_set const& other) {
    v4_.insert(v4_.end(), other.v4_.begin(), other.v4_.end());
    v6_.insert(v6_.end(), other.v6_.begin(), other.v6_.end());
    settle();
    return *this;
}

bool address_set::contains(ip_address const& address) const noexcept {
    auto const& in = address.is_v4() ? v4_ : v6_;
    auto const a = address.is_v4() ? value_traits<ipv4>::to_wire(address.v4())
                                   : value_traits<ipv6>::to_wire(address.v6());
    auto found = std::ranges::lower_bound(in, a, {}, &interval::last);
    return found != in.end() && found->first <= a;
}

}  // namespace sonde::inline v0
