// Replays a capture file with its own gaps: a file is a source of frames like any other, read as they are
// sent.
#include <sonde/sonde.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

asio::awaitable<void> replay(std::string path, std::string iface) {
    network net{co_await asio::this_coro::executor};
    auto report = co_await net.sendp(read_pcap(path), {.iface = iface, .realtime = true});
    fmt::print("{}\n", report);
}

/// A file of three frames, 20 ms apart.
void write_some(std::string const& path) {
    std::vector<packet> frames(3,
                               Ether{.dst = "ff:ff:ff:ff:ff:ff"} / IP{.dst = "198.18.0.1"} / UDP{.dport = 9});
    for (std::size_t i = 0; i < frames.size(); ++i) frames[i].time = timestamp(1s + i * 20ms);
    write_pcap(path, frames);
}

int main(int argc, char** argv) {
    std::string directory = "/tmp/sonde-example-XXXXXX";
    std::string path = argc > 1 ? argv[1] : "";
    if (path.empty()) write_some(path = std::string(mkdtemp(directory.data())) + "/frames.pcap");
    asio::io_context loop;
    asio::co_spawn(loop, replay(path, argc > 2 ? argv[2] : "eth1"), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    });
    loop.run();
    if (argc <= 1) std::filesystem::remove_all(directory);
}
