#include "tool/commands.hpp"

namespace sonde::inline v0::tool {

std::span<command const> commands() {
    static constexpr command all[] = {
        {"send", run_send, send_verb},
        {"sendp", run_send, send_verb},
        {"sr", run_sr, sr_verb},
        {"srp", run_sr, sr_verb},
        {"sr1", run_sr, sr_verb},
        {"srp1", run_sr, sr_verb},
        {"srloop", run_srloop, loop_verb},
        {"srploop", run_srloop, loop_verb},
        {"sniff", run_sniff, sniff_verb},
        {"ping", run_ping, ping_verb},
        {"traceroute", run_traceroute, traceroute_verb},
        {"scan", run_scan, scan_verb},
        {"merge", run_merge, merge_verb},
        {"arping", run_neighbours, neighbours_verb},
        {"ndping", run_neighbours, neighbours_verb},
        {"replay", run_replay, replay_verb},
        {"show", run_show, show_verb},
        {"completion", run_completion, completion_verb},
        {"man", run_man, man_verb},
    };
    return all;
}

}  // namespace sonde::inline v0::tool
