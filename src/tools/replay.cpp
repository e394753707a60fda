#include <sonde/capture/capture_file.hpp>
#include <sonde/link/interface.hpp>
#include <sonde/tools/packets.hpp>
#include <sonde/tools/replay.hpp>

#include "replay_rewrite.hpp"
#include "replay_sides.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>

namespace sonde::inline v0::tools {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

std::size_t hash_of(std::span<std::byte const> bytes) {
    return std::hash<std::string_view>()({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
}

nanoseconds scaled(nanoseconds t, double factor) {
    return nanoseconds(static_cast<std::int64_t>(static_cast<double>(t.count()) * factor));
}

}  // namespace

struct replay::state {
    struct expectation {
        nanoseconds due;
        std::size_t bytes;
    };

    network& net;
    replay_options options;
    replay_rewrite changes;
    capture_file file;
    std::optional<capture_file::iterator> at;
    std::uint64_t pass = 0, drawn = 0;
    timestamp first{}, last{};  // of the file's own times
    nanoseconds offset{};       // of this pass, before scaling
    double bits = 0;
    /// An interface that packets leave by.
    struct exit {
        int index = 0;  // of two; one needs none
        std::deque<expectation> expected{};
        std::optional<packet_stream> watch{};
    };
    std::array<exit, 2> exits;
    std::optional<side_finder> sides;
    std::optional<timestamp> began;  // when the first left
    replay_report result;
    asio::cancellation_signal stop_sending;
    bool stopped = false;

    state(network& n, std::string path, replay_options o, replay_rewrite r, address_set servers)
        : net(n), options(o), changes(std::move(r)), file(std::move(path)) {
        if (o.iface2.empty()) return;
        exits[0].index = interface_index(o.iface.view());
        exits[1].index = interface_index(o.iface2.view());
        sides.emplace(std::move(servers));
    }

    bool measures() const { return options.measure && !options.top; }

    std::optional<packet> draw() {
        if (stopped) return {};
        look();
        if (drawn == options.limit || !advance()) return {};
        packet p = **at;
        if (drawn == 0) first = last = p.time;
        last = p.time;
        // As it was captured: its addresses there are what the user knows servers by.
        auto side = sides ? sides->of(p) : replay_side::client;
        auto& by = exits[side == replay_side::server];
        p.interface = by.index;
        result.by_second += side == replay_side::server;
        rewrite(p, changes);
        auto bytes = p.build();
        auto due = due_of(p.time, bytes.size());
        p.time = timestamp() + std::chrono::hours(1) + due;
        if (measures() && by.expected.size() < most_expected) by.expected.push_back({due, hash_of(bytes)});
        ++drawn;
        return p;
    }

    /// To the next packet, in the next pass if need be.
    bool advance() {
        if (at)
            ++*at;
        else
            at = file.begin();
        while (*at == file.end()) {
            if (++pass >= options.passes || drawn == 0) return false;
            offset += last - first;
            at = file.begin();
        }
        return true;
    }

    nanoseconds due_of(timestamp time, std::size_t size) {
        auto before = bits;
        bits += 8.0 * static_cast<double>(size);
        if (options.rate > 0)
            return nanoseconds(static_cast<std::int64_t>(1e9 * static_cast<double>(drawn) / options.rate));
        if (options.bit_rate > 0)
            return nanoseconds(static_cast<std::int64_t>(1e9 * before / options.bit_rate));
        return scaled(time - first + offset, 1 / options.speed);
    }

    /// Takes note of what was seen leaving.
    void look() {
        for (auto& e : exits) look(e);
    }

    void look(exit& by) {
        auto& expected = by.expected;
        while (auto p = by.watch ? by.watch->try_next() : std::nullopt) {
            auto bytes = hash_of(p->view().bytes);
            // Frames that the capture lost are passed over; those of others are none of ours.
            auto end = expected.begin() + std::min<std::ptrdiff_t>(std::ssize(expected), 256);
            auto found = std::find_if(expected.begin(), end, [&](auto const& e) { return e.bytes == bytes; });
            if (found == end) continue;
            if (!began) began = p->time - found->due;
            result.lateness.add(p->time - *began - found->due);
            ++result.measured;
            expected.erase(expected.begin(), found + 1);
        }
    }

    bool awaits_more() const {
        return std::ranges::any_of(exits, [](exit const& e) { return e.watch && !e.expected.empty(); });
    }

    static constexpr std::size_t most_expected = 65536;
};

replay::replay(network& net, std::string path, replay_options options, replay_rewrite changes,
               address_set servers)
    : state_(std::make_shared<state>(net, std::move(path), options, std::move(changes), std::move(servers))) {
}

replay::~replay() = default;

asio::awaitable<replay_report> replay::run() {
    auto s = state_;
    auto const& o = s->options;
    if (s->measures()) s->exits[0].watch.emplace(s->net.sniff({.iface = o.iface}));
    if (s->measures() && s->sides) s->exits[1].watch.emplace(s->net.sniff({.iface = o.iface2}));
    bool by_file = !o.top && o.rate <= 0 && o.bit_rate <= 0;
    send_options const how{.rate = o.rate,
                           .iface = o.iface,
                           .realtime = by_file,
                           .bit_rate = o.bit_rate,
                           .own_iface = s->sides.has_value()};
    auto token = asio::bind_cancellation_slot(s->stop_sending.slot(), asio::as_tuple(asio::use_awaitable));
    packet_source frames(packets_on_demand([s] { return s->draw(); }));
    auto [ec, report] = co_await s->net.sendp(std::move(frames), how, token);
    if (ec != asio::error::operation_aborted) s->result.ended_by = ec;
    if (s->result.ended_by && report.sent == 0) throw boost::system::system_error(ec);
    s->result.sent = report;
    if (s->sides) s->result.forgotten = s->sides->forgotten();
    // The last frames were stamped when they left; the loop has yet to read them, a millisecond later
    // perhaps.
    using clock = std::chrono::steady_clock;
    for (auto end = clock::now() + 5ms; s->awaits_more() && clock::now() < end;) {
        co_await asio::post(asio::use_awaitable);
        s->look();
    }
    for (auto& e : s->exits) e.watch.reset();
    co_return s->result;
}

void replay::stop() {
    state_->stopped = true;
    state_->stop_sending.emit(asio::cancellation_type::terminal);
}

std::uint64_t replay::drawn() const noexcept {
    return state_->drawn;
}

}  // namespace sonde::inline v0::tools
