#pragma once

#include <sonde/error.hpp>
#include <sonde/packet/address.hpp>
#include <sonde/probe/time.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace sonde::inline v0::detail {

class engine;

/// Hardware addresses of next hops: the kernel's where it knows them, else asked for by ARP (RFC 826) or
/// neighbour solicitation (RFC 4861 §7.2), once for all who wait. Three questions a second apart; then who
/// waits gets no_neighbour, and so does whoever asks within the next second.
class neighbours {
public:
    using handler = std::function<void(error_code, mac)>;
    static constexpr auto patience = std::chrono::seconds(1);  ///< with each question

    explicit neighbours(engine& e) : engine_(e) {}

    /// At once, when it is known or known to be silent; nothing when it has to be asked.
    std::optional<mac> find(int interface, ip_address const& address, steady_time now, error_code& ec) {
        // Nearly all of a turn's packets have one next hop, or none has the one before it.
        if (now == latest_.asked && interface == latest_.of.first && address == latest_.of.second)
            return latest_.known;
        return look_up(interface, address, now, ec);
    }
    /// True when as many wait for this address as may: whoever comes now waits for a turn, then tries again.
    bool is_full(int interface, ip_address const& address) const;
    void wait_for_turn(int interface, ip_address const& address, std::function<void()> turn);
    /// Asks, if not full. The handler is called later, on the engine's executor.
    void resolve(int interface, ip_address const& address, handler done);

    std::uint64_t questions() const { return questions_; }
    /// Those that were asked are asked anew, where nobody waits any more.
    void forget_questions() noexcept { asked_.clear(); }
    void forget() noexcept {
        known_.clear();
        asked_.clear();
        latest_ = {};
    }

private:
    struct entry {
        mac address;
        bool silent;
        steady_time until;
    };
    struct crowd {
        std::vector<handler> waiting;
        std::vector<std::function<void()>> late;  // each operation once
    };
    using key = std::pair<int, ip_address>;

    std::optional<mac> look_up(int interface, ip_address const& address, steady_time now, error_code& ec);
    void ask_for(key const& which);
    void remember(key const& which, std::optional<mac> address);
    void answered(key const& which, error_code ec, std::optional<mac> address);

    engine& engine_;
    struct {
        key of{};
        steady_time asked = never;
        mac known{};
    } latest_;                    // that the system knew
    std::map<key, entry> known_;  // at most 4096
    std::map<key, crowd> asked_;
    std::uint64_t questions_ = 0;
};

}  // namespace sonde::inline v0::detail
