#include <sonde/probe/identity.hpp>

namespace sonde::inline v0 {
namespace {

// Each part under a label of its own, so that none can be computed from another.
enum label : std::uint8_t {
    port_label = 1,
    id_label,
    blend_label,
    sequence_label,
    number_label,
    cookie_label
};

constexpr std::uint32_t all = 65536;

}  // namespace

identity_source::identity_source(secret_key secret, port_range ports, std::uint32_t first_draw) noexcept
    : secret_(secret),
      first_port_(ports.first),
      next_(first_draw),
      port_(secret, port_label, ports.last >= ports.first ? ports.last - ports.first + 1u : 1u),
      id_(secret, id_label, all),
      blend_(secret, blend_label, all),
      sequence_(secret, sequence_label, all),
      number_(secret, number_label) {}

identity identity_source::at(std::uint32_t draw) const noexcept {
    return {port(draw), id(draw), sequence(draw), number(draw), cookie(draw)};
}

std::uint16_t identity_source::port(std::uint32_t draw) const noexcept {
    return static_cast<std::uint16_t>(first_port_ + port_(draw % port_.size()));
}

std::uint16_t identity_source::id(std::uint32_t draw) const noexcept {
    return static_cast<std::uint16_t>(id_(draw % all));
}

// For each id the blocks (draw / all) go through all sequence numbers, each id from a start of its own.
std::uint16_t identity_source::sequence(std::uint32_t draw) const noexcept {
    return static_cast<std::uint16_t>(sequence_((draw / all + blend_(draw % all)) % all));
}

std::uint64_t identity_source::cookie(std::uint32_t draw) const noexcept {
    return detail::siphash_word(secret_, std::uint64_t{cookie_label} << 56 | draw);
}

}  // namespace sonde::inline v0
