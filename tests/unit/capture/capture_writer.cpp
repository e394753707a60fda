#include "capture/support.hpp"
#include "support/catch.hpp"

#include <sonde/capture/capture_file.hpp>
#include <sonde/capture/capture_writer.hpp>
#include <sonde/layers/ether.hpp>
#include <sonde/layers/ip.hpp>
#include <sonde/layers/ipv6.hpp>
#include <sonde/layers/udp.hpp>

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>

using namespace sonde;
using namespace support;
using namespace std::chrono_literals;

namespace {

std::vector<std::byte> octets_of(std::size_t size, char value = 'x') {
    return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

reading read_file(std::string const& path) {
    capture_reader reader(path);
    return read_on(reader);
}

template <class F>
error_code thrown_by(F f) {
    try {
        f();
    } catch (boost::system::system_error const& e) {
        return e.code();
    }
    return {};
}

std::string output_of(std::string const& command) {
    std::string out;
    std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    for (int c; (c = std::fgetc(pipe)) != EOF;) out += static_cast<char>(c);
    ::pclose(pipe);
    return out;
}

}  // namespace

TEST_CASE("frames come back from a file as they were written, to the nanosecond", "[capture]") {
    temporary_directory d;
    auto path = d.file("a.pcap");
    auto small = octets_of(60), large = octets_of(capture_reader::largest_frame), none = octets_of(0);
    {
        capture_writer w(path);
        w.append(
            frame{.bytes = small, .length = 60, .time = timestamp(1s + 1ns), .type = link_type::linux_sll2});
        w.append(frame{.bytes = large,
                       .length = 300000,
                       .time = timestamp(4294967295s + 999999999ns),
                       .type = link_type::linux_sll2});
        w.append(frame{.bytes = none, .type = link_type::linux_sll2});
        CHECK(w.frames() == 3);
    }
    auto r = read_file(path);
    CHECK(r.errors.empty());
    REQUIRE(r.frames.size() == 3);
    CHECK(r.frames[0] == seen_frame{std::string(60, 'x'), 60, 1'000'000'001, link_type::linux_sll2, 0, ""});
    CHECK(r.frames[1].bytes.size() == large.size());
    CHECK(r.frames[1].length == 300000);
    CHECK(r.frames[1].nanoseconds == 4294967295'999999999ll);
    CHECK(r.frames[2].bytes.empty());
}

TEST_CASE("packets come back from a file with their layers and times", "[capture]") {
    temporary_directory d;
    std::vector<packet> packets{Ether{} / IP{.dst = "192.0.2.1"} / UDP{.dport = 7} / "one",
                                Ether{} / packet("two")};
    packets[0].time = timestamp(5s);
    packets[1].wire_length = 999;
    CHECK(write_pcap(d.file("a.pcap"), packets) == 2);
    std::vector<packet> back;
    for (packet const& p : read_pcap(d.file("a.pcap"))) back.push_back(p);
    REQUIRE(back.size() == 2);
    CHECK(back[0].build() == packets[0].build());
    CHECK(back[0].get<UDP>().dport == 7);
    CHECK(back[0].time == timestamp(5s));
    CHECK(back[0].wire_length == packets[0].build().size());
    CHECK(back[1].wire_length == 999);
}

TEST_CASE("what is read and written again is the same file", "[capture]") {
    temporary_directory d;
    file_bytes f;
    f.pcap_header(0xa1b23c4d, 101);
    auto ip = (IP{} / UDP{} / "payload").build();
    std::string bytes(reinterpret_cast<char const*>(ip.data()), ip.size());
    f.pcap_record(1, 999999999, bytes).pcap_record(2, 1, bytes.substr(0, 10), 25).pcap_record(3, 2, "");
    auto path = d.write("in.pcap", f.out);
    CHECK(write_pcap(d.file("out.pcap"), read_pcap(path)) == 3);
    auto in = read_file(path), out = read_file(d.file("out.pcap"));
    CHECK(out.frames == in.frames);
    CHECK(in.frames.size() == 3);
}

TEST_CASE("a set is written as all its packets", "[capture]") {
    temporary_directory d;
    packet const set = IP{.dst = "192.0.2.0/30"} / UDP{.dport = {1, 2}};
    CHECK(write_pcap(d.file("a.pcap"), set) == 8);
    std::size_t i = 0;
    for (packet const& p : read_pcap(d.file("a.pcap"))) CHECK(p.build() == set[i++].build());
    CHECK(i == 8);
    CHECK(write_pcap(d.file("b.pcap"), IP{.ttl = range(1, 5)}) == 5);
    CHECK(write_pcap(d.file("d.pcap"), {set[1], set[0], set[7]}) == 3);
    std::vector<packet> list{set, set};
    CHECK(write_pcap(d.file("c.pcap"), list) == 16);
}

TEST_CASE("the outermost layer of the first packet is the link type of the file", "[capture]") {
    temporary_directory d;
    auto type_of = [&](packet const& p) {
        write_pcap(d.file("a.pcap"), p);
        return read_file(d.file("a.pcap")).frames.at(0).type;
    };
    CHECK(type_of(Ether{}) == link_type::ethernet);
    CHECK(type_of(IP{}) == link_type::raw);
    CHECK(type_of(IPv6{}) == link_type::raw);
    CHECK(type_of("only bytes") == link_type::ethernet);
    CHECK(thrown_by([&] { type_of(UDP{}); }) == errc::unsupported_link_type);
}

TEST_CASE("a file holds one link type, and refuses others without a trace", "[capture]") {
    temporary_directory d;
    capture_writer w(d.file("a.pcap"));
    w.append(IP{} / UDP{});
    CHECK(thrown_by([&] { w.append(Ether{} / IP{}); }) == errc::unsupported_link_type);
    CHECK(thrown_by([&] { w.append(frame{.bytes = {}, .type = link_type::ipv6}); }) ==
          errc::unsupported_link_type);
    w.append(packet("bytes"));
    w.append(packet(IPv6{}));
    w.close();
    CHECK(read_file(d.file("a.pcap")).frames.size() == 3);
}

TEST_CASE("what a pcap record cannot say is refused, not cut", "[capture]") {
    temporary_directory d;
    capture_writer w(d.file("a.pcap"));
    auto huge = octets_of(capture_reader::largest_frame + 1);
    CHECK(thrown_by([&] { w.append(frame{.bytes = huge}); }) == errc::value_out_of_range);
    CHECK(thrown_by([&] { w.append(frame{.bytes = {}, .time = timestamp(-1ns)}); }) ==
          errc::value_out_of_range);
    CHECK(thrown_by([&] { w.append(frame{.bytes = {}, .time = timestamp(4294967296s)}); }) ==
          errc::value_out_of_range);
    CHECK(w.frames() == 0);
}

TEST_CASE("a file of no packets is a capture file", "[capture]") {
    temporary_directory d;
    CHECK(write_pcap(d.file("a.pcap"), std::vector<packet>{}) == 0);
    CHECK(read_file(d.file("a.pcap")).errors.empty());
    CHECK(read_all(d.file("a.pcap")).size() == 24);
}

TEST_CASE("flush makes what was written readable, and close ends the file", "[capture]") {
    temporary_directory d;
    capture_writer w(d.file("a.pcap"));
    w.append(packet("one"));
    w.flush();
    CHECK(read_file(d.file("a.pcap")).frames.size() == 1);
    w.append(packet("two"));
    w.close();
    w.close();
    CHECK(read_file(d.file("a.pcap")).frames.size() == 2);
    CHECK(thrown_by([&] { w.append(packet("three")); }) == errc::bad_file);
    w = capture_writer(d.file("b.pcap"));
    w.append(packet("other"));
    w = capture_writer(d.file("c.pcap"));
    CHECK(read_file(d.file("b.pcap")).frames.size() == 1);
}

TEST_CASE("no more than 64 KiB of frames wait in memory", "[capture]") {
    temporary_directory d;
    capture_writer w(d.file("a.pcap"));
    auto bytes = octets_of(1000);
    for (int i = 0; i < 1000; ++i) w.append(frame{.bytes = bytes});
    CHECK(read_file(d.file("a.pcap")).frames.size() > 1000 - 66);
}

TEST_CASE("a disk that fills leaves a file of whole records, and the rest can be written later",
          "[capture]") {
    temporary_directory d;
    rlimit old{};
    ::getrlimit(RLIMIT_FSIZE, &old);
    auto limit_file_size = [&](rlim_t most) {
        rlimit r{most, old.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &r);
    };
    auto before = std::signal(SIGXFSZ, SIG_IGN);
    auto path = d.file("a.pcap");
    auto bytes = octets_of(1000);
    capture_writer w(path);
    limit_file_size(100'000);
    error_code ec;
    std::uint64_t appended = 0;
    while (!ec && appended < 1000) {
        ec = thrown_by([&] { w.append(frame{.bytes = bytes}); });
        appended += !ec;
    }
    auto again = thrown_by([&] { w.flush(); });
    auto full = read_file(path);
    limit_file_size(old.rlim_cur);
    std::signal(SIGXFSZ, before);

    CHECK(ec == error_code(EFBIG, boost::system::system_category()));
    CHECK(again == ec);
    CHECK(w.frames() == appended);
    CHECK(full.errors.empty());
    CHECK(full.frames.size() > 50);
    CHECK(full.frames.size() < appended);
    w.append(frame{.bytes = bytes});
    w.close();
    auto r = read_file(path);
    CHECK(r.errors.empty());
    CHECK(r.frames.size() == appended + 1);
}

TEST_CASE("write errors keep the system's number and name the file", "[capture]") {
    CHECK(thrown_by([] { capture_writer w("/no/such/place.pcap"); }) ==
          error_code(ENOENT, boost::system::system_category()));
    capture_writer full("/dev/full");
    full.append(packet("x"));
    try {
        full.close();
        FAIL("no error");
    } catch (boost::system::system_error const& e) {
        CHECK(e.code() == error_code(ENOSPC, boost::system::system_category()));
        CHECK(holds(e.what(), "/dev/full: write"));
    }
}

TEST_CASE("a stream of someone else's is written and stays open", "[capture]") {
    temporary_directory d;
    std::FILE* out = std::fopen(d.file("a.pcap").c_str(), "wb");
    {
        capture_writer w(out, "stream");
        w.append(packet("one"));
    }
    CHECK(std::fclose(out) == 0);
    CHECK(read_file(d.file("a.pcap")).frames.size() == 1);
}

TEST_CASE("appending goes on behind the last record, in the file's own unit and byte order", "[capture]") {
    temporary_directory d;
    packet p = Ether{.dst = "02:00:00:00:00:01"} / IP{.dst = "192.0.2.1"} / UDP{};
    p.time = timestamp(2s + 3456ns);
    write_pcap(d.file("a.pcap"), std::vector{p});
    CHECK(write_pcap(d.file("a.pcap"), std::vector{p, p}, {.append = true}) == 2);
    auto frames = read_file(d.file("a.pcap")).frames;
    REQUIRE(frames.size() == 3);
    CHECK(frames[2].nanoseconds == 2'000'003'456);

    // microseconds, big-endian: what is below a microsecond is lost, nothing else
    auto old =
        d.write("old.pcap", file_bytes(true).pcap_header(0xa1b2c3d4, 1).pcap_record(1, 5, "first").out);
    write_pcap(old, std::vector{p}, {.append = true});
    auto both = read_file(old);
    CHECK(both.errors.empty());
    REQUIRE(both.frames.size() == 2);
    CHECK(both.frames[0].nanoseconds == 1'000'005'000);
    CHECK(both.frames[1].nanoseconds == 2'000'003'000);

    write_pcap(d.file("new.pcap"), std::vector{p}, {.append = true});
    CHECK(read_file(d.file("new.pcap")).frames.size() == 1);
}

TEST_CASE("appending to a file that is cut, or holds another link type, leaves it as it was", "[capture]") {
    temporary_directory d;
    packet p = Ether{} / IP{.dst = "192.0.2.1"};
    write_pcap(d.file("a.pcap"), std::vector{p});
    auto cut = read_all(d.file("a.pcap"));
    cut.pop_back();
    d.write("a.pcap", cut);
    CHECK(thrown_by([&] { write_pcap(d.file("a.pcap"), p, {.append = true}); }) == errc::truncated_file);
    CHECK(read_all(d.file("a.pcap")) == cut);
    d.write("b.pcap", "no capture file at all");
    CHECK(thrown_by([&] { write_pcap(d.file("b.pcap"), p, {.append = true}); }) == errc::bad_file);
    write_pcap(d.file("c.pcap"), packet(IP{.dst = "192.0.2.1"}));
    auto raw = read_all(d.file("c.pcap"));
    CHECK(thrown_by([&] { write_pcap(d.file("c.pcap"), p, {.append = true}); }) ==
          errc::unsupported_link_type);
    CHECK(read_all(d.file("c.pcap")) == raw);
}

TEST_CASE("pcapng holds link types, interfaces, nanoseconds and comments side by side", "[capture]") {
    temporary_directory d;
    auto path = d.file("a.pcapng");
    auto bytes = octets_of(61);
    {
        capture_writer w(path);
        w.append(frame{.bytes = bytes, .length = 99, .time = timestamp(7s + 9ns), .interface = 3},
                 "a comment");
        w.append(packet(IP{.dst = "192.0.2.1"}), "another");
        w.append(frame{.bytes = bytes, .length = 61, .time = timestamp(8s), .interface = 4});
        CHECK(thrown_by([&] { w.append(frame{.bytes = bytes}, std::string(65536, 'c')); }) ==
              errc::value_out_of_range);
    }
    auto back = read_file(path);
    CHECK(back.errors.empty());
    REQUIRE(back.frames.size() == 3);
    CHECK(back.frames[0].nanoseconds == 7'000'000'009);
    CHECK(back.frames[0].length == 99);
    CHECK(back.frames[0].interface == 1);
    CHECK(back.frames[1].type == link_type::raw);
    CHECK(back.frames[2].interface == 3);
    CHECK(holds(read_all(path), "a comment"));
    write_pcap(path, packet(IP{.dst = "192.0.2.1"}), {.append = true});
    CHECK(read_file(path).frames.size() == 4);
    CHECK(thrown_by([&] { capture_writer(d.file("x.pcap")).append(frame{.bytes = bytes}, "comment"); }) ==
          errc::value_out_of_range);
    write_pcap(d.file("empty.pcapng"), std::vector<packet>{});
    CHECK(read_file(d.file("empty.pcapng")).errors.empty());
}

TEST_CASE("pcapng has the names of its interfaces, in each section, where something knows them",
          "[capture]") {
    temporary_directory d;
    auto path = d.file("a.pcapng");
    auto bytes = octets_of(60);
    int asked = 0;
    capture_options how{.append = true, .interface_name = [&](int number) {
                            ++asked;
                            return number == 9 ? "" : "eth" + std::string(number == 7 ? 300 : 1, '0');
                        }};
    {
        capture_writer w(path, how);
        for (int number : {3, 3, 9, 0, 7}) w.append(frame{.bytes = bytes, .interface = number});
    }
    CHECK(asked == 3);
    {
        capture_writer w(path, how);
        w.append(frame{.bytes = bytes, .interface = 3});
    }
    auto back = read_file(path);
    CHECK(back.errors.empty());
    REQUIRE(back.frames.size() == 6);
    std::vector<std::string> names;
    for (auto const& f : back.frames) names.push_back(f.interface_name);
    CHECK(names == std::vector<std::string>{"eth0", "eth0", "", "", "eth" + std::string(252, '0'), "eth0"});
}

TEST_CASE("a file that gzip compressed reads as the file it was, and so does what is left of a cut one",
          "[capture]") {
    temporary_directory d;
    std::vector<packet> packets;
    for (int i = 0; i < 500; ++i)
        packets.push_back(Ether{} / IP{.dst = "192.0.2.1", .id = i} / UDP{} /
                          std::string(static_cast<std::size_t>(i), 'x'));
    write_pcap(d.file("a.pcap"), packets);
    REQUIRE(output_of("gzip -k " + d.file("a.pcap")).empty());
    auto plain = read_file(d.file("a.pcap")), expanded = read_file(d.file("a.pcap.gz"));
    CHECK(expanded.errors.empty());
    REQUIRE(expanded.frames.size() == 500);
    CHECK(expanded.frames[499].bytes == plain.frames[499].bytes);

    CHECK(thrown_by([&] { write_pcap(d.file("a.pcap.gz"), packets, {.append = true}); }) == errc::bad_file);
    auto whole = read_all(d.file("a.pcap.gz"));
    auto cut = read_file(d.write("cut.pcap.gz", whole.substr(0, whole.size() / 2)));
    CHECK(cut.errors == std::vector<error_code>{errc::truncated_file});
    CHECK(cut.frames.size() > 100);
    CHECK(cut.frames.size() < 500);
    whole[whole.size() / 2] ^= 0x55;
    auto damaged = read_file(d.write("damaged.pcap.gz", whole));
    CHECK(damaged.errors.size() == 1);
    CHECK(damaged.frames.size() <= 500);
}

TEST_CASE("tcpdump reads what we write", "[capture]") {
    if (std::system("command -v tcpdump >/dev/null 2>&1") != 0) {
        WARN("skipped: no tcpdump");
        return;
    }
    temporary_directory d;
    packet p = Ether{.dst = "02:00:00:00:00:01", .src = "02:00:00:00:00:02"} /
               IP{.dst = "192.0.2.1", .src = "192.0.2.2"} / UDP{.dport = 9, .sport = 1234} / "data";
    p.time = timestamp(1s + 123456789ns);
    write_pcap(d.file("a.pcap"), std::vector{p, p});
    auto text = output_of("tcpdump --nano -nttr " + d.file("a.pcap"));
    INFO(text);
    auto line = std::string("1.123456789 IP 192.0.2.2.1234 > 192.0.2.1.9: UDP, length 4\n");
    CHECK(holds(text, "link-type EN10MB"));
    CHECK(holds(text, line + line));

    write_pcap(d.file("a.pcapng"), std::vector{p, p});
    CHECK(holds(output_of("tcpdump --nano -nttr " + d.file("a.pcapng")), line + line));
}

TEST_CASE("a stream in memory takes a capture as any other does", "[capture]") {
    char* data = nullptr;
    std::size_t size = 0;
    auto const bytes = octets_of(60);
    std::FILE* memory = ::open_memstream(&data, &size);
    capture_writer w(memory, "a.pcap");
    w.append(frame{.bytes = bytes, .length = 60});
    w.close();
    std::fclose(memory);
    CHECK(size == 24 + 16 + 60);
    std::free(data);
}
