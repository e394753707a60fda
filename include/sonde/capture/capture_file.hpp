#pragma once

#include <sonde/capture/capture_reader.hpp>
#include <sonde/packet/packet.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <string>

SONDE_NAMESPACE_BEGIN

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

    /// The same path; the copy opens it at its first `begin`.
    capture_file(capture_file const& other) : path_(other.path_) {}
    /// Iterators stay good: they are of the file moved to.
    capture_file(capture_file&&) noexcept = default;
    /// Iterators of what it was before are no longer valid.
    capture_file& operator=(capture_file other) noexcept;

    /// A place in the file. All iterators of one `begin` are at the same place: ++ moves them together.
    class iterator {
    public:
        /// An input iterator, which gives packets by value.
        /// @{
        using iterator_concept = std::input_iterator_tag;
        using value_type = packet;
        using difference_type = std::ptrdiff_t;
        /// @}

        /// At the end.
        iterator() = default;
        /// The packet: dissected by the file's link type, with its time, wire length and interface.
        packet operator*() const;
        /// The frame, as the file has it; valid until the next `++` of this or another iterator of the file.
        frame const& raw() const;
        /// Throws as `capture_reader::next`. Behind unsupported_link_type a further ++ goes on; behind others
        /// the iterator is at the end.
        iterator& operator++();
        /// As above; without the place before, which is gone.
        void operator++(int) { ++*this; }
        /// True at the end, and where `++` threw.
        friend bool operator==(iterator const& i, std::default_sentinel_t) { return i.at_end(); }

    private:
        friend class capture_file;
        struct SONDE_PRIVATE state;
        explicit iterator(state* s) : state_(s) {}
        bool at_end() const;

        state* state_ = nullptr;  // the file's, where it stays when the file is moved
    };

    /// The first packet. Opens the file again when an earlier pass has begun; throws as the constructor and
    /// `++`.
    iterator begin();
    /// What an iterator at the end compares equal to.
    std::default_sentinel_t end() const { return {}; }

    /// The path, as it was given.
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

SONDE_NAMESPACE_END
