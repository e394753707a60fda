#pragma once

#include <sonde/capture/capture_reader.hpp>
#include <sonde/packet/packet.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <string>

namespace sonde {

/// The packets of a capture file: an input range, each packet made when it is looked at. Memory does not grow
/// with the file.
///
/// Each `begin` starts at the file's first packet again, and ends what iterators of earlier ones did. Copies
/// read on their own. Threads: distinct objects: safe.
class capture_file {
public:
    /// Tells verbs that `begin` may be called again for a further pass (`count`, `loop`).
    static constexpr bool begins_again = true;

    /// Opens the file. Throws as capture_reader does.
    explicit capture_file(std::string path);

    capture_file(capture_file const& other) : path_(other.path_) {}
    capture_file(capture_file&&) noexcept = default;
    capture_file& operator=(capture_file other) noexcept;

    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = packet;
        using difference_type = std::ptrdiff_t;

        iterator() = default;
        /// The packet: dissected by the file's link type, with its time, wire length and interface.
        packet operator*() const;
        /// Throws as `capture_reader::next`. Behind unsupported_link_type a further ++ goes on; behind others
        /// the iterator is at the end.
        iterator& operator++();
        void operator++(int) { ++*this; }
        friend bool operator==(iterator const& i, std::default_sentinel_t) { return i.at_end(); }

    private:
        friend class capture_file;
        struct state;
        explicit iterator(state* s) : state_(s) {}
        bool at_end() const;

        state* state_ = nullptr;  // the file's, where it stays when the file is moved
    };

    /// The first packet. Opens the file again when an earlier pass has begun; throws as the constructor and
    /// `++`.
    iterator begin();
    std::default_sentinel_t end() const { return {}; }

    std::string const& path() const { return path_; }

private:
    struct close {
        void operator()(iterator::state*) const;
    };
    void open();

    std::string path_;
    std::unique_ptr<iterator::state, close> state_;
};

/// A frame as a packet: dissected by its link type, with its time, wire length and interface.
packet to_packet(frame const& f);

/// The packets of a pcap or pcapng file, for loops and for every verb that takes packets:
///
///     co_await net.sendp(read_pcap("session.pcap"), {.iface = "eth1", .realtime = true});
///
/// Throws as capture_reader does.
inline capture_file read_pcap(std::string path) {
    return capture_file(std::move(path));
}

}  // namespace sonde
