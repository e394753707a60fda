#include "net_namespace.hpp"

#include <net/if.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace net_lab {
namespace {

void write_file(std::string const& path, std::string const& text) {
    std::ofstream file(path);
    file << text;
    file.flush();
    if (!file) throw std::runtime_error("cannot write " + path);
}

bool says(std::string const& text, char const* what) {
    return text.find(what) != text.npos;
}

bool at_rest(std::string const& near, std::string const& far) {
    auto addresses = ip("-6 address show dev " + near + " scope link");
    return says(addresses, "fe80:") && !says(addresses, "tentative") &&
           says(ip("link show " + near), "state UP") && says(ip("link show " + far), "state UP");
}

}  // namespace

own_network::own_network() {
    if (says(ip("-o link"), "\n2:")) throw std::runtime_error("this network is not the test's own");
    sysctl("net.ipv6.conf.all.accept_dad", "0");
    sysctl("net.ipv6.conf.default.accept_dad", "0");
    sysctl("net.ipv6.conf.default.router_solicitations", "0");
}

void own_network::pair(std::string const& near, std::string const& far) const {
    ip("link add " + near + " type veth peer name " + far);
    sysctl("net.ipv6.conf." + far + ".disable_ipv6", "1");
    ip("link set " + far + " up");
    ip("link set " + near + " up");
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!at_rest(near, far))
        if (std::chrono::steady_clock::now() > end) throw std::runtime_error(near + " does not come up");
}

command_result run(std::string const& command) {
    struct closer {
        void operator()(FILE* f) const { ::pclose(f); }
    };
    std::unique_ptr<FILE, closer> pipe(::popen((command + " 2>&1").c_str(), "re"));
    if (!pipe) throw std::runtime_error("cannot run " + command);
    std::string output;
    std::array<char, 4096> buffer;
    while (auto n = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) output.append(buffer.data(), n);
    auto status = ::pclose(pipe.release());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

namespace {

/// The kernel takes a new IPv6 address at once, and tells of it when its queue comes to it, with its local
/// route.
void await_notification(std::string const& address) {
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (run("ip -6 route show table local " + address).output.empty())
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error(address + " has no local route after 5 s");
}

}  // namespace

std::string ip(std::string const& arguments) {
    auto r = run("ip " + arguments);
    if (r.status != 0) throw std::runtime_error("ip " + arguments + ": " + r.output);
    constexpr std::string_view adds = "-6 address add ";
    if (arguments.starts_with(adds) && says(arguments, "nodad"))
        await_notification(
            arguments.substr(adds.size(), arguments.find_first_of("/ ", adds.size()) - adds.size()));
    return r.output;
}

void sysctl(std::string const& name, std::string const& value) {
    auto path = "/proc/sys/" + name;
    for (auto& c : path)
        if (c == '.') c = '/';
    write_file(path, value);
}

int index_of(std::string const& interface) {
    return static_cast<int>(::if_nametoindex(interface.c_str()));
}

kernel_answer route_get(std::string const& destination, std::string const& interface) {
    auto r = run("ip route get " + destination + (interface.empty() ? "" : " oif " + interface));
    kernel_answer a;
    a.text = r.output;
    if (r.status != 0) {
        auto colon = r.output.find(": ");
        a.error =
            colon == r.output.npos ? r.output : r.output.substr(colon + 2, r.output.find('\n') - colon - 2);
        return a;
    }
    std::istringstream words(r.output);
    std::string word;
    words >> word;
    if (word.find_first_of(".:") == word.npos) a.type = word;
    while (words >> word) {
        if (word == "dev") words >> a.interface;
        if (word == "src") words >> a.source;
        if (word == "via") {
            words >> a.gateway;
            if (a.gateway == "inet6") words >> a.gateway;
        }
        if (word == "mtu") {
            unsigned n = 0;
            if (words >> n) a.mtu = n;
        }
    }
    return a;
}

}  // namespace net_lab
