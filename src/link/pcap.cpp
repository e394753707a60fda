// The one file that knows libpcap: its filter compiler and its devices.

#include <sonde/link/filter.hpp>
#include <sonde/link/pcap_device.hpp>
#include <sonde/packet/escape.hpp>

#include "link/readiness.hpp"
#include "link/system.hpp"

#include <pcap.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>

namespace sonde::inline v0 {

using detail::failure;
using detail::readiness;

namespace {

struct close_pcap {
    void operator()(pcap_t* handle) const noexcept { ::pcap_close(handle); }
};
using pcap_handle = std::unique_ptr<pcap_t, close_pcap>;

/// A program that libpcap allocated.
struct pcap_program : bpf_program {
    pcap_program() : bpf_program{} {}
    pcap_program(pcap_program const&) = delete;
    pcap_program& operator=(pcap_program const&) = delete;
    ~pcap_program() { ::pcap_freecode(this); }
};

// libpcap's numbers are those of capture files but for "raw IP" (pcap/dlt.h).
int to_datalink(link_type type) noexcept {
    return type == link_type::raw ? DLT_RAW : static_cast<int>(type);
}

std::optional<link_type> from_datalink(int datalink) noexcept {
    for (auto type : {link_type::null, link_type::ethernet, link_type::raw, link_type::linux_sll,
                      link_type::ipv4, link_type::ipv6, link_type::linux_sll2})
        if (to_datalink(type) == datalink) return type;
    return {};
}

// The text as a C string, if it is one that may be handed to libpcap.
std::optional<failure> checked(std::string_view text) {
    if (text.size() > capture_filter::longest_text)
        return failure{errc::bad_filter, "capture filter of " + std::to_string(text.size()) +
                                             " bytes, at most " +
                                             std::to_string(capture_filter::longest_text) + " are taken"};
    if (text.find('\0') != text.npos) return failure{errc::bad_filter, "capture filter with a NUL byte"};
    return {};
}

/// `protochain` jumps backwards: the kernel refuses such a program, and nothing says that it ends.
bool has_loop(bpf_program const& program) {
    return std::ranges::any_of(std::span(program.bf_insns, program.bf_len), [](bpf_insn const& i) {
        return i.code == (BPF_JMP | BPF_JA) && static_cast<std::int32_t>(i.k) < 0;
    });
}

std::optional<failure> compile_on(pcap_t* handle, std::string const& text, pcap_program& program) {
    constexpr int optimize = 1;
    if (::pcap_compile(handle, &program, text.c_str(), optimize, PCAP_NETMASK_UNKNOWN) != 0)
        return failure{errc::bad_filter, escape("capture filter \"" + text + "\": " + ::pcap_geterr(handle))};
    if (has_loop(program))
        return failure{errc::bad_filter,
                       escape("capture filter \"" + text + "\": a loop, as protochain makes")};
    return {};
}

bool is_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool holds_word(std::string_view text, std::string_view word) noexcept {
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
        auto end = at + word.size();
        if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) return true;
    }
    return false;
}

static_assert(sizeof(bpf_instruction) == sizeof(bpf_insn) &&
              offsetof(bpf_instruction, jf) == offsetof(bpf_insn, jf) &&
              offsetof(bpf_instruction, k) == offsetof(bpf_insn, k));

}  // namespace

// --- capture_filter
// ---------------------------------------------------------------------------------------------

capture_filter capture_filter::compile(std::string_view text, link_type type, unsigned snapshot,
                                       error_code& ec, std::string* why) {
    ec = {};
    capture_filter filter;
    pcap_program program;
    auto failed = checked(text);
    if (!failed) {
        pcap_handle handle(
            ::pcap_open_dead(to_datalink(type), static_cast<int>(std::min(snapshot, whole_frame))));
        if (!handle) throw std::bad_alloc();
        filter.text_ = text;
        failed = compile_on(handle.get(), filter.text_, program);
    }
    if (failed) return detail::report_failure(std::move(*failed), ec, why), capture_filter();
    for (auto const& i : std::span(program.bf_insns, program.bf_len))
        filter.program_.push_back({.code = i.code, .jt = i.jt, .jf = i.jf, .k = i.k});
    filter.reads_vlan_tag_ = holds_word(text, "vlan");
    return filter;
}

capture_filter capture_filter::compile(std::string_view text, link_type type, unsigned snapshot) {
    failure f;
    auto filter = compile(text, type, snapshot, f.code, &f.why);
    if (f.code) detail::throw_failure(f);
    return filter;
}

capture_filter capture_filter::accept_none() {
    capture_filter filter;
    filter.program_ = {{.code = BPF_RET | BPF_K}};
    filter.text_ = "less 0";  // the same for those who compile the text
    return filter;
}

bool capture_filter::matches(std::span<std::byte const> captured, std::size_t length) const noexcept {
    if (empty()) return true;
    bpf_program const program{static_cast<u_int>(program_.size()),
                              // the same layout, as asserted above; libpcap only reads
                              reinterpret_cast<bpf_insn*>(const_cast<bpf_instruction*>(program_.data()))};
    pcap_pkthdr header{};
    header.caplen = static_cast<bpf_u_int32>(captured.size());
    header.len = static_cast<bpf_u_int32>(length);
    return ::pcap_offline_filter(&program, &header, reinterpret_cast<u_char const*>(captured.data())) != 0;
}

// --- pcap_device
// ------------------------------------------------------------------------------------------------

namespace {

// While the interface is down, libpcap wants to be called every millisecond to see whether it is gone
// (pcap_get_required_select_timeout). It looks at nothing but that, so less often will do.
constexpr std::chrono::milliseconds look_again{10};

error_code activation_error(int status) noexcept {
    switch (status) {
        case PCAP_ERROR_PERM_DENIED:
        case PCAP_ERROR_PROMISC_PERM_DENIED: return errc::permission;
        case PCAP_ERROR_NO_SUCH_DEVICE: return errc::no_such_interface;
        case PCAP_ERROR_IFACE_NOT_UP: return errc::interface_down;
        default: return {EIO, boost::system::system_category()};
    }
}

// What the frames of one pcap_dispatch go through.
struct hand_over {
    link_device::frame_sink sink;
    pcap_t* handle;
    link_type type;
    int interface;
    bool nanoseconds;
    std::size_t count = 0;
    std::exception_ptr thrown = nullptr;

    static void call(u_char* self, pcap_pkthdr const* header, u_char const* bytes) noexcept {
        reinterpret_cast<hand_over*>(self)->take(*header, reinterpret_cast<std::byte const*>(bytes));
    }

    // libpcap is C: an exception must go around it.
    void take(pcap_pkthdr const& header, std::byte const* bytes) noexcept {
        std::chrono::nanoseconds fraction(header.ts.tv_usec * (nanoseconds ? 1 : 1000));
        ++count;
        try {
            sink(frame{.bytes = {bytes, header.caplen},
                       .length = std::max(header.len, header.caplen),
                       .time = timestamp(std::chrono::seconds(header.ts.tv_sec) + fraction),
                       .type = type,
                       .interface = interface,
                       .outgoing = false});
        } catch (...) {
            thrown = std::current_exception();
            ::pcap_breakloop(handle);
        }
    }
};

}  // namespace

struct pcap_device::state {
    explicit state(asio::any_io_executor executor) : waits(std::move(executor)) {}

    std::optional<failure> open(std::string_view name, receive_options const& options);
    std::optional<failure> find(std::string_view name);
    std::optional<failure> activate(receive_options const& options);
    std::optional<failure> set_filter(capture_filter const& filter);
    std::optional<failure> watch();
    failure failed(int status) const;
    error_code why_ended() const;

    pcap_handle handle;
    readiness waits;  // of a duplicate; gone from the event loop before libpcap closes its own
    link_info info;
    bool nanoseconds = false;
    bool down = false;    // not seen up since it went down
    bool untold = false;  // ... and the caller does not know yet
    error_code ended;
    link_counters counted;
    std::uint32_t last_seen = 0, last_dropped = 0;
};

std::optional<failure> pcap_device::state::open(std::string_view name, receive_options const& options) {
    if (auto f = find(name)) return f;
    if (auto f = activate(options)) return f;
    if (options.filter && !options.filter->text().empty())
        if (auto f = set_filter(*options.filter)) return f;
    return watch();
}

// libpcap takes the names of many things that are no network interface; we do not.
std::optional<failure> pcap_device::state::find(std::string_view name) {
    info.name = name;
    if (name == "any") return {};
    error_code ec;
    int index = interface_index(name, ec);
    if (ec) return failure{ec, "pcap device \"" + info.name + "\""};
    info = interface_info(index, ec);
    if (!ec || ec == errc::unsupported_link_type) return {};  // libpcap may read what we would not
    return failure{ec, "pcap device on " + std::string(name)};
}

failure pcap_device::state::failed(int status) const {
    std::string_view message = ::pcap_geterr(handle.get());
    if (message.empty()) message = ::pcap_statustostr(status);
    return {activation_error(status), "pcap device on " + info.name + ": " + std::string(message)};
}

std::optional<failure> pcap_device::state::activate(receive_options const& options) {
    char message[PCAP_ERRBUF_SIZE] = "";
    handle.reset(::pcap_create(info.name.c_str(), message));
    if (!handle) return failure{activation_error(PCAP_ERROR), "pcap device on " + info.name + ": " + message};
    auto* h = handle.get();
    ::pcap_set_snaplen(h, static_cast<int>(std::clamp(options.snapshot, 1u, capture_filter::whole_frame)));
    ::pcap_set_promisc(h, options.promiscuous);
    ::pcap_set_immediate_mode(h, 1);
    ::pcap_set_buffer_size(h, static_cast<int>(std::min<std::size_t>(options.buffer, INT_MAX)));
    ::pcap_set_tstamp_precision(h, PCAP_TSTAMP_PRECISION_NANO);  // where that fails, microseconds it is
    if (::pcap_setnonblock(h, 1, message) < 0) return failure{activation_error(PCAP_ERROR), message};
    if (int status = ::pcap_activate(h); status < 0) return failed(status);
    if (int fd = ::pcap_get_selectable_fd(h); fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    nanoseconds = ::pcap_get_tstamp_precision(h) == PCAP_TSTAMP_PRECISION_NANO;
    if (!options.see_outgoing && ::pcap_setdirection(h, PCAP_D_IN) < 0) return failed(PCAP_ERROR);
    auto type = from_datalink(::pcap_datalink(h));
    if (!type) return failure{errc::unsupported_link_type, "pcap device on " + info.name};
    info.type = *type;
    return {};
}

std::optional<failure> pcap_device::state::set_filter(capture_filter const& filter) {
    pcap_program program;
    if (auto f = compile_on(handle.get(), filter.text(), program)) return f;
    if (::pcap_setfilter(handle.get(), &program) == 0) return {};
    return failed(PCAP_ERROR);
}

std::optional<failure> pcap_device::state::watch() {
    detail::unique_fd fd(::fcntl(::pcap_get_selectable_fd(handle.get()), F_DUPFD_CLOEXEC, 0));
    if (!fd) return detail::system_failure("pcap device on " + info.name, "fcntl");
    if (auto ec = waits.assign(std::move(fd)))
        return failure{ec, "pcap device on " + info.name + ": event loop"};
    return {};
}

// libpcap has one error for everything.
error_code pcap_device::state::why_ended() const {
    error_code ec;
    if (info.index != 0 && (interface_info(info.index, ec), ec == errc::no_such_interface)) return ec;
    return {EIO, boost::system::system_category()};
}

std::unique_ptr<pcap_device> pcap_device::open(asio::any_io_executor executor, std::string_view interface,
                                               receive_options const& options, error_code& ec,
                                               std::string* why) {
    ec = {};
    auto s = std::make_unique<state>(std::move(executor));
    auto failed = s->open(interface, options);
    if (!failed) return std::unique_ptr<pcap_device>(new pcap_device(std::move(s)));
    detail::report_failure(std::move(*failed), ec, why);
    return nullptr;
}

std::unique_ptr<pcap_device> pcap_device::open(asio::any_io_executor executor, std::string_view interface,
                                               receive_options const& options) {
    return detail::or_throw([&](error_code& ec, std::string* why) {
        return open(std::move(executor), interface, options, ec, why);
    });
}

pcap_device::pcap_device(std::unique_ptr<state> s) : state_(std::move(s)) {}
pcap_device::~pcap_device() = default;

asio::any_io_executor pcap_device::get_executor() const {
    return state_->waits.get_executor();
}
link_info const& pcap_device::info() const noexcept {
    return state_->info;
}

std::size_t pcap_device::receive(std::size_t limit, frame_sink sink, error_code& ec) {
    auto& s = *state_;
    ec = s.ended;
    if (ec || limit == 0) return 0;
    hand_over to{sink, s.handle.get(), s.info.type, s.info.index, s.nanoseconds};
    auto most = static_cast<int>(std::min<std::size_t>(limit, INT_MAX));
    int status = ::pcap_dispatch(s.handle.get(), most, &hand_over::call, reinterpret_cast<u_char*>(&to));
    if (to.thrown) std::rethrow_exception(to.thrown);
    if (status == PCAP_ERROR) s.ended = s.why_ended();
    bool was_down = std::exchange(s.down, ::pcap_get_required_select_timeout(s.handle.get()) != nullptr);
    if (s.down && !was_down) s.untold = true;
    if (to.count > 0) return to.count;
    if (std::exchange(s.untold, false)) ec = errc::interface_down;
    if (s.ended) ec = s.ended;
    return 0;
}

std::size_t pcap_device::transmit(std::span<std::span<std::byte const> const> frames, error_code& ec) {
    ec = {};
    std::size_t sent = 0;
    for (auto bytes : frames) {
        errno = 0;
        if (::pcap_inject(state_->handle.get(), bytes.data(), bytes.size()) < 0) {
            ec = detail::link_error(errno ? errno : EOPNOTSUPP);
            break;
        }
        ++sent;
    }
    return sent;
}

void pcap_device::wait_readable(wait_handler handler) {
    auto const& s = *state_;
    auto at_most = s.ended || s.untold ? std::chrono::milliseconds(1)
                   : s.down            ? look_again
                                       : std::chrono::milliseconds(0);
    state_->waits.wait(readiness::reading, std::move(handler), at_most);
}

void pcap_device::wait_writable(wait_handler handler) {
    state_->waits.wait(readiness::writing, std::move(handler));
}
void pcap_device::cancel_readable() {
    state_->waits.cancel(readiness::reading);
}
void pcap_device::cancel_writable() {
    state_->waits.cancel(readiness::writing);
}

// libpcap's sums are 32 bits wide, and count among the frames seen those that it dropped.
link_counters pcap_device::counters() {
    auto& s = *state_;
    pcap_stat now{};
    if (::pcap_stats(s.handle.get(), &now) == 0) {
        std::uint32_t seen = now.ps_recv - std::exchange(s.last_seen, now.ps_recv);
        std::uint32_t dropped = now.ps_drop - std::exchange(s.last_dropped, now.ps_drop);
        s.counted.received += seen - dropped;
        s.counted.kernel_dropped += dropped;
    }
    return s.counted;
}

void pcap_device::set_filter(capture_filter const& filter, error_code& ec, std::string* why) {
    ec = {};
    if (auto f = state_->set_filter(filter)) detail::report_failure(std::move(*f), ec, why);
}

}  // namespace sonde::inline v0
