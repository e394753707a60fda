#include <sonde/link/xdp_socket.hpp>

#include "support/catch.hpp"

#include <boost/asio/io_context.hpp>

using namespace sonde;

TEST_CASE("A build without AF_XDP says so when a socket is asked for") {
    asio::io_context io(1);
    error_code ec;
    std::string why;
    CHECK_FALSE(xdp_socket::open(io.get_executor(), 1, {}, xdp_take::answers, ec, &why));
    CHECK(ec == asio::error::operation_not_supported);
    CHECK(why.find("SONDE_XDP") != why.npos);
    CHECK_THROWS_AS(xdp_socket::open(io.get_executor(), 1), boost::system::system_error);
}
