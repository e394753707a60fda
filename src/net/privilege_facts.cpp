#include "privilege.hpp"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>

// What the kernel tells. Nothing is decided here: see privilege.cpp.
namespace sonde::inline v0::detail {
namespace {

constexpr auto own_file = "/proc/self/exe";
constexpr ino_t first_user_namespace = 0xEFFFFFFD;  // PROC_USER_INIT_INO

std::string content_of(char const* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// ioctl_ns(2): whoever may not be shown the owner is not in it.
bool owns_network() {
    int network = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (network < 0) return true;
    int owner = ::ioctl(network, NS_GET_USERNS);
    struct stat owning{}, own{};
    bool same = owner >= 0 && ::fstat(owner, &owning) == 0 && ::stat("/proc/self/ns/user", &own) == 0 &&
                owning.st_ino == own.st_ino && owning.st_dev == own.st_dev;
    if (owner >= 0) ::close(owner);
    ::close(network);
    return same;
}

}  // namespace

privilege_facts facts_of_this_process() {
    privilege_facts f;
    f.root = ::geteuid() == 0;
    f.group = ::getegid();
    read_status(content_of("/proc/thread-self/status"), f);
    struct statvfs mounted{};
    f.nosuid = ::statvfs(own_file, &mounted) == 0 && (mounted.f_flag & ST_NOSUID) != 0;
    struct stat own{};
    f.first_user_namespace = ::stat("/proc/self/ns/user", &own) != 0 || own.st_ino == first_user_namespace;
    f.owns_network = owns_network();
    std::array<std::byte, 64> attribute;
    auto size = ::getxattr(own_file, "security.capability", attribute.data(), attribute.size());
    if (size > 0) f.file = parse_file_capability(std::span(attribute).first(static_cast<std::size_t>(size)));
    std::array<char, 4096> path;
    auto length = ::readlink(own_file, path.data(), path.size());
    if (length > 0) f.program.assign(path.data(), static_cast<std::size_t>(length));
    std::ifstream("/proc/sys/net/ipv4/ping_group_range") >> f.ping_groups.first >> f.ping_groups.second;
    return f;
}

}  // namespace sonde::inline v0::detail
