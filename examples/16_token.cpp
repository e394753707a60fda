// A completion token of one's own: `store_in` writes the answer where it says, and counts what is still
// missing. No coroutine, no future, no allocation of its own.
#include <sonde/sonde.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/io_context.hpp>

#include <vector>

namespace asio = boost::asio;
using namespace sonde;
using namespace std::chrono_literals;

struct store_in {
    std::optional<exchange>& where;
    int& missing;
};

template <>
struct asio::async_result<store_in, void(error_code, std::optional<exchange>)> {
    template <class Initiation, class... Arguments>
    static void initiate(Initiation&& begin, store_in token, Arguments&&... arguments) {
        ++token.missing;
        std::forward<Initiation>(begin)(
            [token](error_code, std::optional<exchange> x) {
                token.where = std::move(x);
                --token.missing;
            },
            std::forward<Arguments>(arguments)...);
    }
};

int main() {
    asio::io_context loop;
    network net{loop};
    std::vector<std::optional<exchange>> answers(8);
    int missing = 0;
    for (std::size_t i = 0; i < answers.size(); ++i)
        net.sr1(IP{.dst = ipv4(0xc6120001 + static_cast<std::uint32_t>(i))} / ICMP{}, {.timeout = 1s},
                store_in{answers[i], missing});
    loop.run();
    for (auto const& x : answers) fmt::print("{}\n", x ? fmt::format("{}", x->received) : "silence");
    return missing;
}
