#include <sonde/link/virtual_clock.hpp>

#include <algorithm>

namespace sonde::inline v0 {

virtual_clock::event_id virtual_clock::at(time_point when, event what) {
    event_id id{std::max(when, now_), ++serial_};
    events_.emplace_hint(events_.end(), id, std::move(what));
    return id;
}

bool virtual_clock::cancel(event_id const& id) {
    auto what = events_.extract(id);  // whatever it holds may make or cancel events when it is destroyed
    return !what.empty();
}

std::optional<virtual_clock::time_point> virtual_clock::next() const {
    if (events_.empty()) return {};
    return events_.begin()->first.when;
}

bool virtual_clock::step() {
    if (events_.empty()) return false;
    now_ = events_.begin()->first.when;
    for (auto last = serial_;;) {  // what the events of now make for now waits for the next step
        auto first = events_.begin();
        if (first == events_.end() || first->first.when > now_ || first->first.serial > last) return true;
        auto due = events_.extract(first);
        due.mapped()();
    }
}

void virtual_clock::wait_until(time_point when) noexcept {
    if (!events_.empty()) when = std::min(when, events_.begin()->first.when);
    now_ = std::max(now_, when);
}

void virtual_clock::clear() {
    while (!events_.empty()) std::exchange(events_, {}).clear();
}

}  // namespace sonde::inline v0
