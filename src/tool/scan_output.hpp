#pragma once

#include <sonde/probe/report.hpp>
#include <sonde/tools/scan.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::inline v0::tool {

enum class scan_format : std::uint8_t { text, jsonl, csv, grep };

/// What every record of a scan tells of the whole of it.
struct scan_identity {
    std::uint64_t seed = 0, fingerprint = 0, probes = 0;
    std::string shard = "1/1";
    std::vector<std::string> command{};
};

/// Where results go, and in which form. In text and the grep form nothing but results; in JSON lines a record
/// of type start before and one of type summary behind them.
/// A bit for each scan_state.
using scan_states = std::array<bool, 7>;
/// "open,up", or "all". Throws usage_error, naming the word, for what is no state.
scan_states read_states(std::string_view text);

class scan_output {
public:
    /// `file` empty: stdout. Else the file is made anew, or cut to `keep` bytes and gone on with.
    scan_output(std::string const& file, std::uint64_t keep, bool go_on, scan_format format,
                scan_states const& wanted);

    void start(scan_identity const& scan, std::uint64_t done);
    /// Counts the result, and writes it if its state is wanted.
    void add(tools::scan_result const& r);
    void summary(scan_identity const& scan, report const& r, std::uint64_t done, bool complete);
    void flush();
    /// Bytes in the file, all of them written.
    std::uint64_t size();

    std::uint64_t count(tools::scan_state s) const { return counts_[static_cast<std::size_t>(s)]; }
    std::uint64_t interesting() const {
        return count(tools::scan_state::open) + count(tools::scan_state::up);
    }
    std::string counts_text() const;

private:
    void write(std::string const& text);

    struct close {
        void operator()(std::FILE* f) const { std::fclose(f); }
    };
    std::unique_ptr<std::FILE, close> owned_;
    std::FILE* out_ = stdout;
    scan_format format_;
    scan_states wanted_;
    std::array<std::uint64_t, 7> counts_{};
    bool at_terminal_;
};

}  // namespace sonde::inline v0::tool
