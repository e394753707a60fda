#include <sonde/capture/capture_file.hpp>

namespace sonde::inline v0 {

struct capture_file::iterator::state {
    capture_reader reader;
    std::optional<frame> current{};
    bool begun = false;
};

void capture_file::close::operator()(iterator::state* s) const {
    delete s;
}

capture_file::capture_file(std::string path) : path_(std::move(path)) {
    open();
}

capture_file& capture_file::operator=(capture_file other) noexcept {
    path_.swap(other.path_);
    state_.swap(other.state_);
    return *this;
}

void capture_file::open() {
    capture_reader reader(path_);
    if (state_)
        *state_ = {
            std::move(reader)};  // in the same place, so that old iterators read this pass, not freed memory
    else
        state_.reset(new iterator::state{std::move(reader)});
}

capture_file::iterator capture_file::begin() {
    if (!state_ || state_->begun) open();
    state_->begun = true;
    iterator i(state_.get());
    ++i;
    return i;
}

packet capture_file::iterator::operator*() const {
    return to_packet(*state_->current);
}

frame const& capture_file::iterator::raw() const {
    return *state_->current;
}

capture_file::iterator& capture_file::iterator::operator++() {
    state_->current.reset();
    state_->current = state_->reader.next();
    return *this;
}

bool capture_file::iterator::at_end() const {
    return !state_ || !state_->current;
}

packet to_packet(frame const& f) {
    auto p = dissect(f.bytes, f.type);
    p.time = f.time;
    p.interface = f.interface;
    p.wire_length = f.length;
    return p;
}

}  // namespace sonde::inline v0
