#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

/// Requests to nf_tables as bytes (linux/netfilter/nf_tables.h): messages put into one batch, which the
/// kernel carries out as a whole or not at all. Everything here is pure. Numbers are in network order.
namespace sonde::inline v0::detail {

class nft_batch {
public:
    nft_batch();

    /// Begins a message; `type` is an NFT_MSG_. Attributes that follow are its own. Gives its sequence
    /// number.
    std::uint32_t message(std::uint16_t type, std::uint16_t flags);
    nft_batch& text(std::uint16_t type, std::string_view value);  ///< with a zero behind it
    nft_batch& number(std::uint16_t type, std::uint32_t value);
    nft_batch& bytes(std::uint16_t type, std::span<std::byte const> value);
    /// What `fill` adds goes inside an attribute.
    template <class Fill>
    nft_batch& nest(std::uint16_t type, Fill fill) {
        auto at = open(type);
        fill();
        close(at);
        return *this;
    }
    /// An expression of a rule, which holds a list of them.
    template <class Fill>
    nft_batch& expression(std::string_view name, Fill fill) {
        auto at = open_expression(name);
        auto data = open(expression_data);
        fill();
        close(data);
        close(at);
        return *this;
    }

    /// The whole batch; nothing can be added any more.
    std::span<std::byte const> finish();

private:
    static constexpr std::uint16_t expression_data = 2;

    void begin(std::uint16_t type, std::uint16_t flags, std::uint8_t family, std::uint16_t resource);
    void end_message();
    std::size_t open(std::uint16_t type);
    std::size_t open_expression(std::string_view name);
    void close(std::size_t at);
    void append(std::span<std::byte const> value);

    std::vector<std::byte> bytes_;
    std::size_t message_ = 0;  // where the current one begins
    std::uint32_t sequence_ = 0;
};

}  // namespace sonde::inline v0::detail
