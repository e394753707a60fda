#pragma once

#include <sonde/capture/capture_writer.hpp>

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace sonde::inline v0::tool {

/// When a capture goes on in a new file.
struct rotation {
    std::uint64_t size = 0;           ///< bytes of frames; 0: never
    std::chrono::nanoseconds time{};  ///< by the frames' own times; 0: never
    std::uint64_t keep = 0;           ///< files; 0: all

    bool rotates() const { return size != 0 || time.count() != 0; }
};

/// Capture files one after the other: session-00001.pcapng, session-00002.pcapng … Without rotation the one
/// file. The first is there from the begin, so that one which cannot be written is told of before the
/// capture. Throws as capture_writer.
class rotating_file {
public:
    /// `-`: standard output, as pcap; what reads it there sees each packet at once. That does not rotate.
    /// `interface_name`: as in capture_options.
    rotating_file(std::string path, rotation when, std::function<std::string(int)> interface_name);

    void append(packet const& p);
    void close();

private:
    bool is_standard_output() const { return path_ == "-"; }
    void open();

    std::filesystem::path path_;
    rotation when_;
    std::function<std::string(int)> interface_name_;
    std::optional<capture_writer> file_;
    std::deque<std::filesystem::path> files_;
    std::uint64_t number_ = 0, bytes_ = 0;
    timestamp began_{};
};

}  // namespace sonde::inline v0::tool
