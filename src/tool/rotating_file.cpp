#include "tool/rotating_file.hpp"

#include <fmt/format.h>

namespace sonde::inline v0::tool {

rotating_file::rotating_file(std::string path, rotation when, std::function<std::string(int)> interface_name)
    : path_(std::move(path)), when_(when), interface_name_(std::move(interface_name)) {
    open();
}

void rotating_file::open() {
    if (file_) file_->close();
    if (is_standard_output()) {
        file_.emplace(stdout, "standard output");
        return;
    }
    auto path = path_;
    if (when_.rotates())
        path.replace_filename(
            fmt::format("{}-{:05}{}", path_.stem().string(), ++number_, path_.extension().string()));
    file_.emplace(path.string(), capture_options{.interface_name = interface_name_});
    files_.push_back(path);
    bytes_ = 0;
    std::error_code gone;
    for (; when_.keep != 0 && files_.size() > when_.keep; files_.pop_front())
        std::filesystem::remove(files_.front(), gone);
}

void rotating_file::append(packet const& p) {
    constexpr std::uint64_t record = 32;  // header and padding, about
    auto size = p.view().bytes.size() + record;
    bool full = when_.size != 0 && bytes_ != 0 && bytes_ + size > when_.size;
    bool old = when_.time.count() != 0 && bytes_ != 0 && p.time - began_ >= when_.time;
    if (full || old) open();
    if (bytes_ == 0) began_ = p.time;
    file_->append(p);
    if (is_standard_output()) file_->flush();
    bytes_ += size;
}

void rotating_file::close() {
    file_->close();
}

}  // namespace sonde::inline v0::tool
