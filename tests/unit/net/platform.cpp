#include "net/platform.hpp"
#include "support/catch.hpp"

#include <boost/asio/io_context.hpp>

#include <thread>

using namespace sonde;
using namespace std::chrono_literals;

namespace {

/// Until the timer's wait is over, though its handler has not run.
void let_pass(detail::platform const& system, steady_time when) {
    while (system.now() <= when) std::this_thread::sleep_for(1ms);
}

}  // namespace

TEST_CASE("A timer that is started again calls the latest only, though the wait before was over") {
    boost::asio::io_context loop;
    auto system = detail::make_kernel_platform(loop.get_executor());
    auto one = system->make_timer(), other = system->make_timer();
    int replaced = 0, latest = 0;
    auto soon = system->now() + 1ms;
    one->start(soon, [&] { other->start(system->now() + 1ms, [&] { ++latest; }); });
    other->start(soon + 1ns, [&] { ++replaced; });
    let_pass(*system, soon + 1ns);  // both are over when the loop first looks
    loop.run();
    CHECK(replaced == 0);
    CHECK(latest == 1);
}

TEST_CASE("A timer that is cancelled keeps nobody waiting and calls nobody, though the wait was over") {
    boost::asio::io_context loop;
    auto system = detail::make_kernel_platform(loop.get_executor());
    auto one = system->make_timer(), other = system->make_timer(), far = system->make_timer();
    int called = 0;
    auto soon = system->now() + 1ms;
    one->start(soon, [&] {
        other->cancel();
        far->cancel();
    });
    other->start(soon + 1ns, [&] { ++called; });
    far->start(soon + 1h, [&] { ++called; });
    let_pass(*system, soon + 1ns);
    loop.run();
    CHECK(called == 0);
    CHECK(system->now() - soon < 1min);
}
