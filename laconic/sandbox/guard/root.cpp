#include "laconic/sandbox/guard/root.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "laconic/sandbox/guard/tree.h"

namespace laconic::guard {
namespace {

constexpr uid_t kNobody = 65534;
constexpr uid_t kInside = 1000;  // the user that programs see themselves as
constexpr int kNamespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

// A path of the system, as it is here: a folder or file to be bound, or a symbolic link to be made again.
struct SystemPath {
  std::string path;
  std::string link;  // its target; "" when it is none
};

std::vector<SystemPath> visible_paths(const std::vector<std::string>& readable) {
  std::vector<std::string> paths = {"/usr",
                                    "/bin",
                                    "/sbin",
                                    "/lib",
                                    "/lib32",
                                    "/lib64",
                                    "/libx32",
                                    "/etc/alternatives",
                                    "/etc/ld.so.cache",
                                    "/etc/ld.so.conf",
                                    "/etc/ld.so.conf.d"};
  paths.insert(paths.end(), readable.begin(), readable.end());
  std::vector<SystemPath> found;
  for (const auto& path : paths) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) continue;
    SystemPath one{path, ""};
    if (S_ISLNK(status.st_mode)) {
      char target[PATH_MAX];
      const ssize_t n = ::readlink(path.c_str(), target, sizeof target);
      if (n > 0) one.link.assign(target, static_cast<size_t>(n));
    }
    found.push_back(one);
  }
  return found;
}

// Then /tmp is a folder with it alone, else a link to where programs run.
bool lies_in_tmp(const std::vector<std::string>& readable) {
  return std::any_of(readable.begin(), readable.end(), [](const auto& path) { return path.starts_with("/tmp/"); });
}

void write_text(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    fail_with("cannot write " + path, errno);
  ::close(fd);
}

void make_folders(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    if (::mkdir(path.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST) fail_with("cannot make " + path, errno);
    if (slash == std::string::npos) return;
  }
}

void mount_or_fail(const char* source, const std::string& target, const char* type, unsigned long flags,
                   const char* options) {
  if (::mount(source, target.c_str(), type, flags, options) != 0) fail_with("cannot mount " + target, errno);
}

// `fd` names the source as it was before anything was mounted.
void bind_read_only(int fd, const std::string& target, bool folder) {
  if (folder) {
    make_folders(target);
  } else {
    make_folders(target.substr(0, target.rfind('/')));
    ::close(::open(target.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  }
  const std::string source = "/proc/self/fd/" + std::to_string(fd);
  mount_or_fail(source.c_str(), target, nullptr, MS_BIND | MS_REC, nullptr);
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  constexpr unsigned kRecursive = 0x8000;  // AT_RECURSIVE
  if (::syscall(SYS_mount_setattr, AT_FDCWD, target.c_str(), kRecursive, &attributes, sizeof attributes) != 0)
    fail_with("cannot make " + target + " read-only (Linux 5.12 can)", errno);
}

struct Opened {
  SystemPath path;
  int fd = -1;
  bool folder = false;
};

void bind_system(const std::string& root, const std::vector<Opened>& opened) {
  for (const auto& [path, fd, folder] : opened) {
    const std::string target = root + path.path;
    if (path.link.empty()) {
      bind_read_only(fd, target, folder);
      ::close(fd);
    } else {
      make_folders(target.substr(0, target.rfind('/')));
      if (::symlink(path.link.c_str(), target.c_str()) != 0) fail_with("cannot make " + target, errno);
    }
  }
}

void bind_devices(const std::string& root) {
  make_folders(root + "/dev");
  for (const char* name : {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}) {
    const std::string target = root + name;
    ::close(::open(target.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    mount_or_fail(name, target, nullptr, MS_BIND, nullptr);
  }
}

// Makes a new root and leaves the old one.
void change_root(uint64_t scratch_bytes, const std::vector<std::string>& readable) {
  std::vector<Opened> opened;
  for (const auto& path : visible_paths(readable)) {
    Opened one{path, -1, false};
    if (path.link.empty()) {
      one.fd = ::open(path.path.c_str(), O_PATH | O_CLOEXEC);
      struct stat status {};
      if (one.fd < 0 || ::fstat(one.fd, &status) != 0) fail_with("cannot open " + path.path, errno);
      one.folder = S_ISDIR(status.st_mode);
    }
    opened.push_back(one);
  }
  mount_or_fail("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  const std::string root = "/tmp";
  mount_or_fail("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=1k,mode=0755");
  bind_system(root, opened);
  bind_devices(root);
  make_folders(root + "/proc");
  mount_or_fail("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  make_folders(root + kWork);
  const std::string size =
      "mode=0755,size=" + std::to_string(scratch_bytes) + ",nr_inodes=" + std::to_string(kScratchInodes);
  mount_or_fail("tmpfs", root + kWork, "tmpfs", MS_NOSUID | MS_NODEV, size.c_str());
  if (!lies_in_tmp(readable) && ::symlink("work/run", (root + "/tmp").c_str()) != 0)
    fail_with("cannot make /tmp", errno);
  if (::chdir(root.c_str()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 || ::umount2(".", MNT_DETACH) != 0 ||
      ::chdir("/") != 0)
    fail_with("cannot change the root", errno);
  mount_or_fail("none", "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, nullptr);
}

void become_nobody() {
  if (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
      ::setresuid(kNobody, kNobody, kNobody) != 0)
    fail_with("cannot become another user than root", errno);
  ::prctl(PR_SET_DUMPABLE, 1);  // else /proc/self belongs to root
}

}  // namespace

void fail_with(const std::string& what, int error) {
  std::fprintf(stderr, "%s: %s\n", what.c_str(), std::strerror(error));
  std::_Exit(EXIT_FAILURE);
}

namespace {

// Asks whether nobody may make namespaces by doing it in a process that ends.
void leave_root() {
  if (::geteuid() != 0) return;
  const pid_t trial = ::fork();
  if (trial == 0) {
    ::close(STDERR_FILENO);
    become_nobody();
    std::_Exit(::unshare(kNamespaces) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  int status = 0;
  ::waitpid(trial, &status, 0);
  if (status == 0) become_nobody();
}

}  // namespace

void become_bubblewrap(pid_t parent, uint64_t scratch_bytes, const std::vector<std::string>& readable) {
  // Opened here: by whom the guard's file can be read is not said.
  const int guard = ::open("/proc/self/exe", O_RDONLY);
  if (guard < 0) fail_with("cannot open laconic-guard", errno);
  leave_root();
  die_with_parent(parent, SIGKILL);  // behind what changes the user, which would undo it
  const std::string size = std::to_string(scratch_bytes), user = std::to_string(kInside);
  std::vector<std::string> words = {
      "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--as-pid-1", "--uid", user, "--gid",
      user,    "--hostname",    "sandbox",           "--cap-drop",    "ALL"};
  const auto add = [&](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  for (const auto& [path, link] : visible_paths(readable)) {
    if (link.empty()) {
      add({"--ro-bind", path, path});
    } else {
      add({"--symlink", link, path});
    }
  }
  add({"--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--size", size, "--tmpfs", kWork});
  if (!lies_in_tmp(readable)) add({"--symlink", "work/run", "/tmp"});
  add({"--perms", "0555", "--ro-bind-data", std::to_string(guard), kGuardInside});
  add({"--remount-ro", "/", "--chdir", kWork, "--", kGuardInside, "inside", "1", kWork});
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execvp("bwrap", pointers.data());
  fail_with(errno == ENOENT ? "the program bwrap is not installed (package bubblewrap)" : "cannot run bwrap", errno);
}

void enter_namespaces(pid_t parent, uint64_t scratch_bytes, const std::vector<std::string>& readable) {
  leave_root();
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(kNamespaces) != 0) fail_with("cannot make namespaces (unprivileged user namespaces are needed)", errno);
  die_with_parent(parent, SIGKILL);
  write_text("/proc/self/setgroups", "deny");
  write_text("/proc/self/uid_map", std::to_string(kInside) + " " + std::to_string(user) + " 1");
  write_text("/proc/self/gid_map", std::to_string(kInside) + " " + std::to_string(group) + " 1");
  const pid_t first = ::fork();
  if (first < 0) fail_with("cannot start a process", errno);
  if (first == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::sethostname("sandbox", std::strlen("sandbox"));
    change_root(scratch_bytes, readable);
    return;
  }
  ::close_range(3, ~0U, 0);
  int status = 0;
  while (::waitpid(first, &status, 0) < 0 && errno == EINTR) {
  }
  end_like(status);
}

}  // namespace laconic::guard
