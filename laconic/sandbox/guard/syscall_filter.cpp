#include "laconic/sandbox/guard/syscall_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace laconic::guard {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the numbers of system calls are known for x86-64 and aarch64"
#endif

// Answered with EPERM. Numbers that an architecture has no name for are left out.
const std::vector<int>& refused() {
  static const std::vector<int> kRefused = {
      SYS_socket,  // socketpair() stays: it reaches nobody
      SYS_ptrace,
      SYS_process_vm_readv,
      SYS_process_vm_writev,
      SYS_kcmp,
      SYS_mount,
      SYS_umount2,
      SYS_pivot_root,
      SYS_chroot,
      SYS_unshare,
      SYS_setns,
      SYS_open_tree,
      SYS_move_mount,
      SYS_fsopen,
      SYS_fsconfig,
      SYS_fsmount,
      SYS_fspick,
#ifdef SYS_mount_setattr
      SYS_mount_setattr,
#endif
      SYS_memfd_create,
      SYS_shmget,
      SYS_msgget,
      SYS_semget,  // memory that no process is charged for
#ifdef SYS_memfd_secret
      SYS_memfd_secret,
#endif
      SYS_io_uring_setup,
      SYS_io_uring_enter,
      SYS_io_uring_register,
      SYS_bpf,
      SYS_perf_event_open,
      SYS_userfaultfd,
      SYS_fanotify_init,
      SYS_keyctl,
      SYS_add_key,
      SYS_request_key,
      SYS_open_by_handle_at,
      SYS_name_to_handle_at,
      SYS_init_module,
      SYS_finit_module,
      SYS_delete_module,
      SYS_kexec_load,
#ifdef SYS_kexec_file_load
      SYS_kexec_file_load,
#endif
#ifdef SYS_pidfd_getfd
      SYS_pidfd_getfd,
#endif
#ifdef SYS_iopl
      SYS_iopl,
      SYS_ioperm,
      SYS_modify_ldt,
#endif
      SYS_reboot,
      SYS_swapon,
      SYS_swapoff,
      SYS_acct,
      SYS_quotactl,
      SYS_syslog,
      SYS_vhangup,
      SYS_personality,
      SYS_settimeofday,
      SYS_clock_settime,
      SYS_clock_adjtime,
      SYS_adjtimex,
      SYS_sethostname,
      SYS_setdomainname,
      SYS_mbind,
      SYS_move_pages,
      SYS_migrate_pages,
  };
  return kRefused;
}

constexpr uint32_t kNumber = offsetof(seccomp_data, nr);
constexpr uint32_t kArch = offsetof(seccomp_data, arch);
constexpr uint32_t kFirstArgument = offsetof(seccomp_data, args);  // its low half: both architectures are little-endian

sock_filter load(uint32_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);
}
sock_filter answer(uint32_t action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}
sock_filter refuse(int error) {
  return answer(SECCOMP_RET_ERRNO | static_cast<uint32_t>(error));
}
// Goes on with the next instruction when equal, else skips it.
sock_filter next_if_equal(uint32_t value) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
}

std::vector<sock_filter> program() {
  std::vector<sock_filter> code = {load(kArch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
                                   answer(SECCOMP_RET_KILL_PROCESS), load(kNumber)};
#if defined(__x86_64__)
  constexpr uint32_t kX32 = 0x40000000;  // the same calls under other numbers
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32, 0, 1));
  code.push_back(answer(SECCOMP_RET_KILL_PROCESS));
#endif
  for (const int number : refused()) {
    code.push_back(next_if_equal(static_cast<uint32_t>(number)));
    code.push_back(refuse(EPERM));
  }
  // Its flags lie in memory, where a filter cannot look; libraries then take clone().
  code.push_back(next_if_equal(SYS_clone3));
  code.push_back(refuse(ENOSYS));
  // clone() with new namespaces.
  constexpr uint32_t kNew =
      CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4));
  code.push_back(load(kFirstArgument));
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kNew, 0, 1));
  code.push_back(refuse(EPERM));
  code.push_back(answer(SECCOMP_RET_ALLOW));
  // kill(-1): every process of the user.
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 0, 3));
  code.push_back(load(kFirstArgument));
  code.push_back(next_if_equal(0xffffffff));
  code.push_back(refuse(EPERM));
  code.push_back(answer(SECCOMP_RET_ALLOW));
  return code;
}

}  // namespace

bool filter_syscalls() {
  auto code = program();
  const sock_fprog filter{static_cast<unsigned short>(code.size()), code.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace laconic::guard
