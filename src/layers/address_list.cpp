#include <sonde/layers/address_list.hpp>
#include <sonde/packet/text.hpp>

#include "../packet/reading.hpp"

#include <fmt/format.h>

namespace sonde::inline v0 {
namespace {

using header = std::span<std::byte const>;

template <class Address>
constexpr std::size_t octets = value_traits<Address>::width / 8;

template <class Address>
std::string encoded(Address const& address) {
    std::array<std::byte, octets<Address>> bytes{};
    write_bits(bytes, {0, 8 * octets<Address>}, value_traits<Address>::to_wire(address));
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

template <class Address>
literal print(header bytes, header) {
    literal::list list;
    for (; bytes.size() >= octets<Address>; bytes = bytes.subspan(octets<Address>))
        list.items.emplace_back(
            value_traits<Address>::from_wire(read_bits(bytes, {0, 8 * octets<Address>})).to_string());
    if (!bytes.empty())
        list.items.emplace_back(literal::bytes{{reinterpret_cast<char const*>(bytes.data()), bytes.size()}});
    return list;
}

template <class Address>
std::string read(literal const& value, literal::call const*) {
    std::string out;
    for (auto const& item : value.as<literal::list>()->items) {
        if (auto const* rest = item.as<literal::bytes>()) {
            out += rest->value;
            continue;
        }
        auto const* text = item.as<std::string>();
        auto address = text ? Address::parse(*text) : std::nullopt;
        if (!address)
            detail::fail(errc::bad_text, item, "a list of IPv{} addresses, not of {}",
                         octets<Address> == 4 ? 4 : 6, to_python(item));
        out += encoded(*address);
    }
    return out;
}

template <class Address>
std::size_t count(header bytes) {
    return bytes.size() / octets<Address>;
}

/// As Scapy shows addresses of the two families.
template <class Address>
std::string show(literal const& value) {
    constexpr std::string_view blank = octets<Address> == 16 ? " " : "";
    std::string out;
    for (auto const& item : value.as<literal::list>()->items) {
        if (!out.empty()) out += ", ";
        auto const* text = item.as<std::string>();
        out += text ? *text : to_python(item);
    }
    return fmt::format("[{}{}{}]", blank, out, blank);
}

template <class Address>
constexpr option_codec codec_of{.print = print<Address>,
                                .read = read<Address>,
                                .count = count<Address>,
                                .show = show<Address>,
                                .leads = true,
                                .multiple_of = 1};

}  // namespace

void ipv4_list::add(ipv4 address) {
    append(encoded(address));
}
void ipv6_list::add(ipv6 const& address) {
    append(encoded(address));
}
option_codec const& ipv4_list::codec() {
    return codec_of<ipv4>;
}
option_codec const& ipv6_list::codec() {
    return codec_of<ipv6>;
}

}  // namespace sonde::inline v0
