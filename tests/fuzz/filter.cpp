// Text as a capture filter: an error, or a program that ends and stays inside itself.

#include "fuzz.hpp"

#include "support/own_netns.hpp"

#include <sonde/link/filter.hpp>

#include <array>
#include <string>

using namespace sonde;
using namespace sonde::test;

namespace {

/// Names in a filter are looked up: in a namespace without a network nothing leaves the machine.
void isolate() {
    static own_netns const alone;
}

constexpr bool is_jump(bpf_instruction const& i) {
    return (i.code & 7) == 5;
}

/// Every way through the program leads forwards to an instruction of it.
void check_program(capture_filter const& filter) {
    auto program = filter.program();
    for (std::size_t at = 0; at < program.size(); ++at) {
        auto const& i = program[at];
        bool always = (i.code & 0xf0) == 0;
        std::size_t farthest = !is_jump(i) ? 0 : always ? i.k : std::max(i.jt, i.jf);
        bool is_return = (i.code & 7) == 6;
        if (!is_return && at + 1 + farthest >= program.size()) throw violation("a jump out of the program");
    }
}

}  // namespace

/// Before the fuzzer starts a thread: only then can ordinary users make a namespace.
extern "C" int LLVMFuzzerInitialize(int*, char***);
extern "C" int LLVMFuzzerInitialize(int*, char***) {
    isolate();
    return 0;
}

SONDE_FUZZ_TARGET(in) {
    isolate();
    constexpr link_type links[] = {link_type::ethernet, link_type::raw, link_type::linux_sll,
                                   link_type::null};
    constexpr std::size_t longest = 256;  // the compiler's time grows with the square of the text
    auto link = links[in.choice(std::size(links))];
    auto frame = in.take(in.choice(96));
    auto text = in.rest_as_text().substr(0, longest);
    error_code ec;
    std::string why;
    auto filter = capture_filter::compile(text, link, capture_filter::whole_frame, ec, &why);
    if (ec) {
        check_printable("why", why);
        if (ec != errc::bad_filter || why.empty()) throw violation("a filter that fails without saying why");
        return kept;
    }
    if (filter.text() != text) throw violation("the filter's text is another");
    check_program(filter);
    (void)filter.matches(frame, frame.size());
    (void)filter.matches(frame, frame.size() + 1000);
    return kept;
}
