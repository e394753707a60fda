#pragma once

#include "link/simulated_links.hpp"
#include "net/prefix_table.hpp"
#include "net/route_table.hpp"

#include <sonde/sim/simulation.hpp>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sonde::inline v0::detail {

/// A simulated machine's interfaces and what lies behind them: who gets which frame. What a host answers is
/// in answering.cpp.
class world {
public:
    static constexpr int loopback = 1, ethernet = 2;

    explicit world(std::uint64_t seed);

    site& add(ip_address const& address, unsigned prefix_length, host h, path const& p);
    site* site_of(ip_address const& address);
    site& self() { return machine_.behind; }

    /// Nothing when the frame has left; `routed`: an IP packet by way of lo.
    error_code send(int interface, bool routed, std::span<std::byte const> bytes);
    void inject(int interface, std::vector<std::byte> frame);

    route_table const& routes() const { return routes_; }
    /// How often they were renewed.
    std::uint64_t route_generation() const { return route_generation_; }
    /// After an interface has changed.
    void renew_routes();
    void forget_interface(int index);

    simulation_counts counts() const;

    virtual_clock clock;
    random_source random;
    simulated_links links;
    std::map<std::string, ip_address> names;
    std::function<error_code(std::span<std::byte const>)> const* refuse = nullptr;
    bool recording = false;
    std::vector<captured_frame> trace;

private:
    /// A site and where its wires end.
    struct place final : wire_end {
        struct home final : wire_end {  // the machine's end of the way back
            explicit home(place& p) : from(p) {}
            void arrived(std::vector<std::byte> frame) override {
                from.owner.came_back(from, std::move(frame));
            }
            place& from;
        };

        place(world& w, host h, path const& p, int behind_interface);
        void arrived(std::vector<std::byte> frame) override { owner.reached(*this, frame); }

        world& owner;
        site behind;
        int interface;
        home machine{*this};
        std::optional<ip_address> alone;  ///< when it is one host
        double tokens = 0;                ///< ICMP errors that it may send
        virtual_clock::time_point filled_at{};
    };
    friend class answering;

    bool is_on_link(ip_address const& a) const;
    mac mac_of(ip_address const& a) const;
    mac next_hop_mac(ip_address const& a) const;
    place* place_of(ip_address const& a);
    std::vector<place*> receivers_of(std::span<std::byte const> frame);
    std::vector<place*> group();
    void start(place& to, std::span<std::byte const> frame);
    void reached(place& at, std::span<std::byte const> frame);
    void came_back(place& from, std::vector<std::byte> frame);
    void show(int interface, std::span<std::byte const> frame, bool outgoing);
    bool may_send_error(place& from);

    std::deque<place> places_;
    std::vector<route_entry> prefixes_;  // `interface` is the number of a place
    prefix_table by_prefix_;
    bool prefixes_changed_ = false;
    table_contents contents_;
    route_table routes_;
    std::uint64_t route_generation_ = 1;
    place machine_;
    simulation_counts counts_;
};

/// The interfaces and routes of the lab's probe host.
table_contents lab_machine();
link_info link_of(kernel_interface const& i);

}  // namespace sonde::inline v0::detail
