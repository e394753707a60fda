#include <sonde/probe/detail/progress.hpp>

#include <bit>

namespace sonde::inline v0::detail {
namespace {

constexpr std::uint64_t word_bits = 64;

}  // namespace

void progress::done(std::uint64_t number) {
    if (number < first_) return;
    auto word = (number - base_) / word_bits;
    if (word >= words_.size()) words_.resize(word + 1);
    words_[word] |= std::uint64_t{1} << (number - base_) % word_bits;
    if (number != first_) return;
    while (!words_.empty() && words_.front() == ~std::uint64_t{0}) {
        words_.pop_front();
        base_ += word_bits;
    }
    auto front = words_.empty() ? 0 : words_.front();
    first_ = base_ + static_cast<std::uint64_t>(std::countr_one(front));
}

bool progress::is_done(std::uint64_t number) const noexcept {
    if (number < first_) return true;
    auto word = (number - base_) / word_bits;
    return word < words_.size() && words_[word] >> (number - base_) % word_bits & 1;
}

}  // namespace sonde::inline v0::detail
