#pragma once

#include <sonde/net/network.hpp>

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace sonde::inline v0::tool {

/// What the command was asked to do, and how: exit status 2.
class usage_error : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// 2 for what the user wrote, 3 for what the system refused.
int status_of(error_code ec);
/// A number that is not negative, as text. Throws usage_error.
std::uint64_t parse_count(std::string const& text);

/// A duration as people write it: "2", "0.5" (seconds, as Scapy), "500ms", "20us", "1m". Throws usage_error.
std::chrono::nanoseconds parse_duration(std::string const& text);

/// A rate: "500", "1.5k", "10M", "1G". Throws usage_error.
double parse_rate(std::string const& text);

/// The words after a verb.
struct arguments {
    std::string subject;                  ///< the packet expression or file
    std::vector<std::string> subjects{};  ///< all of them, where a verb takes several
    boost::program_options::variables_map values;

    bool has(char const* name) const { return values.count(name) != 0; }
    std::vector<std::string> texts(char const* name) const {
        return has(name) ? values[name].as<std::vector<std::string>>() : std::vector<std::string>();
    }
    std::string text(char const* name) const {
        return has(name) ? values[name].as<std::string>() : std::string();
    }
};

/// A verb of the command: its options and its help.
struct verb {
    std::string name;
    std::string synopsis;  ///< "EXPRESSION [OPTIONS]"
    std::string about;     ///< what it does, one paragraph
    std::string example;
    bool needs_subject = true;
    bool is_expression = true;   ///< the subject is; else a file
    bool many_subjects = false;  ///< as many as one likes, or none
    std::string exit_status =
        "0 answered, 1 no answer, 2 usage, 3 system (permission, interface, route), 130 interrupted.";
    boost::program_options::options_description options{"Options"};

    verb(std::string n, std::string s, std::string a, std::string e, bool uses_network = true);
    void print_help() const;
    /// Throws usage_error.
    arguments parse(std::vector<std::string> const& words) const;
};

/// What `--iface` says. Throws usage_error for what no terminal should print.
if_name interface_of(arguments const& a);

/// Options that verbs share.
void add_sending(verb& v);
void add_probing(verb& v);
void add_looping(verb& v);
void add_targets(verb& v);
void add_output(verb& v);

send_options send_options_of(arguments const& a);
sr_options sr_options_of(arguments const& a);
loop_options loop_options_of(arguments const& a);
/// Where a verb's packets may go.
network_options network_options_of(arguments const& a);
address_set blocked_by(arguments const& a);

}  // namespace sonde::inline v0::tool
