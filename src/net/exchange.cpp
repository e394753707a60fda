#include <sonde/net/exchange.hpp>
#include <sonde/net/source.hpp>

namespace sonde {

std::string exchange_list::summary() const {
    std::string text;
    for (auto const& x : *this) fmt::format_to(std::back_inserter(text), "{} ==> {}\n", x.sent, x.received);
    if (!text.empty()) text.pop_back();
    return text;
}

std::string packet_list::summary() const {
    std::string text;
    for (auto const& p : *this) fmt::format_to(std::back_inserter(text), "{}\n", p);
    if (!text.empty()) text.pop_back();
    return text;
}

namespace {

class set_source final : public detail::source_base {
public:
    explicit set_source(packet_set set) : set_(std::move(set)) {}
    std::optional<std::uint64_t> size() const override { return set_.size(); }
    packet at(std::uint64_t index, random_source& random) override { return set_.at(index, random); }

private:
    packet_set set_;
};

}  // namespace

packet_source::packet_source(packet set) : packet_source(packet_set(std::move(set))) {}
packet_source::packet_source(packet_set set) : source_(std::make_unique<set_source>(std::move(set))) {}

}  // namespace sonde

auto fmt::formatter<sonde::exchange>::format(sonde::exchange const& x, format_context& context) const
    -> format_context::iterator {
    if (x.round == 0) return fmt::format_to(context.out(), "{} ==> {}", x.sent, x.received);
    if (x.answered()) return fmt::format_to(context.out(), "RECV {}: {}", x.round, x.received);
    return fmt::format_to(context.out(), "fail {}: {}", x.round, x.sent);
}

auto fmt::formatter<sonde::send_report>::format(sonde::send_report const& r, format_context& context) const
    -> format_context::iterator {
    return fmt::format_to(context.out(), "Sent {} packets.", r.sent);
}
