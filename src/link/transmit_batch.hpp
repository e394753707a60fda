#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <span>

namespace sonde::inline v0::detail {

/// The message headers of one sendmmsg of up to 64 frames, kept from batch to batch.
class transmit_batch {
public:
    static constexpr std::size_t most = 64;
    using frames = std::span<std::span<std::byte const> const>;

    /// Sends up to 64 of `all`, each to where `address(i, header)` points its header. Returns how many were
    /// accepted, or -1 with errno set when not even the first was. The kernel stops at a failure without
    /// telling it, if it sent something before: calling again with the rest tells.
    template <class Address>
    int send(int fd, frames all, Address address) noexcept {
        auto wanted = std::min(all.size(), most);
        for (std::size_t i = 0; i < wanted; ++i) {
            vectors_[i] = {const_cast<std::byte*>(all[i].data()), all[i].size()};  // sendmmsg only reads
            messages_[i].msg_hdr = {};
            messages_[i].msg_hdr.msg_iov = &vectors_[i];
            messages_[i].msg_hdr.msg_iovlen = 1;
            address(i, messages_[i].msg_hdr);
        }
        int sent;
        do
            sent =
                ::sendmmsg(fd, messages_.data(), static_cast<unsigned>(wanted), MSG_DONTWAIT | MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        return sent;
    }

private:
    std::array<mmsghdr, most> messages_{};
    std::array<iovec, most> vectors_{};
};

}  // namespace sonde::inline v0::detail
