#pragma once

#include "tool/options.hpp"
#include "tool/verbs.hpp"

#include <span>
#include <string_view>

namespace sonde::inline v0::tool {

/// A command whose options are a `verb`: its help, its manual page and what shells complete are made of that.
struct command {
    std::string_view name;
    int (*run)(std::string const& name, words const& arguments);
    verb (*describe)(std::string const& name);
};
std::span<command const> commands();

verb send_verb(std::string const& name);
verb sr_verb(std::string const& name);
verb loop_verb(std::string const& name);
verb sniff_verb(std::string const& name);
verb ping_verb(std::string const& name);
verb traceroute_verb(std::string const& name);
verb scan_verb(std::string const& name);
verb merge_verb(std::string const& name);
verb neighbours_verb(std::string const& name);
verb replay_verb(std::string const& name);
verb show_verb(std::string const& name);
verb completion_verb(std::string const& name);
verb man_verb(std::string const& name);

int run_ping(std::string const& name, words const& arguments);
int run_traceroute(std::string const& name, words const& arguments);
int run_scan(std::string const& name, words const& arguments);
int run_merge(std::string const& name, words const& arguments);
int run_neighbours(std::string const& name, words const& arguments);  ///< arping, ndping
int run_replay(std::string const& name, words const& arguments);
int run_show(std::string const& name, words const& arguments);
int run_completion(std::string const& name, words const& arguments);
int run_man(std::string const& name, words const& arguments);

}  // namespace sonde::inline v0::tool
