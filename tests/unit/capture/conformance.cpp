#include "capture/support.hpp"
#include "support/catch.hpp"

#include <sonde/capture/capture_file.hpp>
#include <sonde/capture/capture_writer.hpp>

#include <optional>
#include <sstream>

using namespace sonde;
using namespace support;

namespace {

std::optional<std::filesystem::path> conformance() {
    if (auto path = std::getenv("SONDE_CONFORMANCE"); path && std::filesystem::exists(path)) return path;
    auto source = std::getenv("SONDE_SOURCE");
    auto beside = std::filesystem::path(source ? source : ".") / "../shared/conformance";
    if (std::filesystem::exists(beside)) return beside;
    WARN("skipped: no conformance data (SONDE_CONFORMANCE)");
    return {};
}

struct listed_file {
    std::string path;
    std::size_t packets = 0;
};

std::vector<listed_file> listed_files(std::filesystem::path const& from) {
    std::vector<listed_file> files;
    std::ifstream index(from / "pcaps/index.csv");
    std::string line;
    std::getline(index, line);
    while (std::getline(index, line)) {
        std::istringstream columns(line);
        std::vector<std::string> c;
        for (std::string column; std::getline(columns, column, ',');) c.push_back(column);
        files.push_back({(from / "pcaps" / c.at(0)).string(), std::stoul(c.at(7))});
    }
    return files;
}

}  // namespace

TEST_CASE("real captures give as many packets as tshark reads in them", "[capture][conformance]") {
    auto from = conformance();
    if (!from) return;
    auto files = listed_files(*from);
    CHECK(files.size() > 50);
    for (auto const& f : files) {
        INFO(f.path);
        capture_reader reader(f.path);
        auto r = read_on(reader);
        CHECK(r.why == "");
        CHECK(r.frames.size() == f.packets);
    }
}

TEST_CASE("frames of real captures have the lengths and times that tshark reads", "[capture][conformance]") {
    auto from = conformance();
    if (!from) return;
    std::size_t compared = 0;
    for (auto const& f : listed_files(*from)) {
        INFO(f.path);
        capture_reader reader(f.path);
        auto r = read_on(reader);
        std::ifstream expected(*from / "expect" /
                               (std::filesystem::path(f.path).filename().string() + ".jsonl"));
        auto next = r.frames.begin();
        for (std::string line; std::getline(expected, line) && next != r.frames.end(); ++next, ++compared) {
            auto after = [&](std::string const& key) { return line.substr(line.find(key) + key.size()); };
            CHECK(next->length == std::stoul(after("\"len\":")));
            CHECK(next->bytes.size() == std::stoul(after("\"caplen\":")));
            if (holds(f.path, "timestamp_invalid")) continue;   // fractions over a second, which tshark wraps
            if (line.find("\"ts\":\"") == line.npos) continue;  // simple packets have no time
            auto seconds = after("\"ts\":\"");
            auto point = seconds.find('.');
            CHECK(next->nanoseconds == std::stoll(seconds.substr(0, point) + seconds.substr(point + 1, 9)));
        }
    }
    CHECK(compared > 1000);
}

TEST_CASE("packets of real captures are written and read back the same", "[capture][conformance]") {
    auto from = conformance();
    if (!from) return;
    temporary_directory d;
    for (auto const& f : listed_files(*from)) {
        INFO(f.path);
        capture_reader reader(f.path);
        std::optional<capture_writer> writer;
        std::vector<std::string> kept;
        error_code ec;
        while (auto one = reader.next(ec)) {
            if (!writer) writer.emplace(d.file("copy.pcap"));
            try {
                writer->append(*one);
                kept.emplace_back(reinterpret_cast<char const*>(one->bytes.data()), one->bytes.size());
            } catch (error const& e) {
                CHECK(e.code() == errc::unsupported_link_type);  // of a file with interfaces of several types
            }
        }
        if (!writer) continue;
        writer->close();
        capture_reader again(d.file("copy.pcap"));
        auto r = read_on(again);
        CHECK(r.errors.empty());
        REQUIRE(r.frames.size() == kept.size());
        for (std::size_t i = 0; i < kept.size(); ++i) CHECK(r.frames[i].bytes == kept[i]);
    }
}
