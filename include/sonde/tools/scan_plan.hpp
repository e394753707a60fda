#pragma once

#include <sonde/packet/address_set.hpp>
#include <sonde/packet/packet_set.hpp>
#include <sonde/tools/traceroute.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

SONDE_NAMESPACE_BEGIN
namespace tools {

/// What is asked of each address. With no port it is a ping sweep.
struct scan_ports {
    scan_ports() {}  // no aggregate: see docs/design/co-await-safe.md

    /// Each port once, rising.
    /// @{
    std::vector<std::uint16_t> tcp, udp;
    /// @}

    /// True when there is no port.
    bool is_sweep() const noexcept { return tcp.empty() && udp.empty(); }
};

/// `22,80-90,443`, with `U:53` for UDP and `T:22` for TCP from there on, as nmap takes it. Throws bad_text
/// that names the part.
scan_ports read_ports(std::string_view text, probe_protocol first = probe_protocol::tcp);

/// One of several that share out a scan, and do not talk to each other.
struct scan_shard {
    /// Which one, from 0, of how many.
    /// @{
    std::uint64_t index = 0, count = 1;
    /// @}
    std::string_view source{};  ///< where it was read from: "SLURM_ARRAY_TASK_ID"; empty: nowhere

    /// True when it is the only one.
    bool is_whole() const noexcept { return count == 1; }
    /// As `read_shard` reads it: "3/8", counted from 1.
    std::string to_string() const { return std::to_string(index + 1) + "/" + std::to_string(count); }
};

/// `3/8`: the third of eight. Throws bad_text.
scan_shard read_shard(std::string_view text);
/// What the environment says, the first that is there: SONDE_SHARD=i/n; Slurm's array (SLURM_ARRAY_TASK_ID,
/// _MIN, _COUNT, _STEP); Open MPI's rank (OMPI_COMM_WORLD_RANK, _SIZE); the index of a Kubernetes Indexed Job
/// (JOB_COMPLETION_INDEX), whose number of shards SONDE_SHARDS must tell. The whole scan when nothing is.
/// Throws bad_text for what makes no sense.
scan_shard shard_of_environment();
/// A seed that all tasks of the same job agree on (SLURM_ARRAY_JOB_ID, PMIX_NAMESPACE, JOB_NAME), if there is
/// a job.
std::optional<std::uint64_t> seed_of_environment();

/// All probes of a scan by their number, in an order that the seed shuffles: arithmetic, no table. Probe
/// number k is the same on every machine, so shards need not talk, and a scan can go on where it ended.
///
/// A value. Threads: const members: safe. Cost: `operator[]` takes constant time, and the logarithm of the
/// number of networks.
class scan_plan {
public:
    /// Throws set_too_large from 2^64 probes on.
    scan_plan(address_set const& targets, address_set const& excluded, scan_ports ports, std::uint64_t seed,
              scan_shard const& shard = {});

    /// Probes of this shard.
    std::uint64_t size() const noexcept { return order_.size(); }
    /// Probes of all shards.
    std::uint64_t total() const noexcept { return total_; }
    /// The number in order of targets and ports, before it was shuffled and shared out.
    std::uint64_t number(std::uint64_t position) const { return order_.base_index(position); }
    /// The probe of this shard at a position below `size()`; throws value_out_of_range beyond.
    packet operator[](std::uint64_t position) const;

    /// Tells targets and ports from others: shards of one scan have the same, whatever their seed.
    std::uint64_t fingerprint() const noexcept { return fingerprint_; }

private:
    void add(packet probes);

    std::vector<packet> groups_;  // sets of probes alike
    std::vector<std::uint64_t> ends_;
    std::uint64_t total_ = 0, fingerprint_ = 0;
    packet_set order_;
};

/// Which positions of a plan are done. A value.
class positions {
public:
    /// Adds one, if it is not there already. Throws value_out_of_range for 2^64-1. Cost, also of `contains`:
    /// the logarithm of the number of pieces.
    void insert(std::uint64_t position);
    /// Whether this one is done.
    bool contains(std::uint64_t position) const;
    /// How many are done.
    std::uint64_t size() const noexcept { return size_; }
    /// "0-99,105-105": sorted, both ends included, with gaps between the pieces. `read` throws bad_text for
    /// anything else.
    /// @{
    std::string to_string() const;
    static positions read(std::string_view text);
    /// @}

    /// Those below `limit` that are not in it, as pieces [first, end).
    std::vector<std::pair<std::uint64_t, std::uint64_t>> missing(std::uint64_t limit) const;

private:
    std::map<std::uint64_t, std::uint64_t> pieces_;  // [first, end), none touches another
    std::uint64_t size_ = 0;
};

}  // namespace tools
SONDE_NAMESPACE_END
