//! Which system calls no command makes (seccomp, seccomp(2)): a network (but to ask a service, where the command does),
//! another program, another process, another process's memory, the kernel's own affairs. They fail with "operation not
//! permitted".
//!
//! A list of what is forbidden, not of what is allowed: what a C library calls changes from release to release, and a
//! ceremony must not end in the middle for it. What a ceremony does call is pinned by `tests/scripts/system-calls.sh`.

use rustix::io::Errno;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};
use std::collections::BTreeMap;

/// What a command calls that asks a service; never otherwise.
const CONNECTING: &[libc::c_long] = &[
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
];

/// Never, whatever the arguments.
const FORBIDDEN: &[libc::c_long] = &[
    // Being asked by others, or another process by a socket.
    libc::SYS_socketpair,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    // Another program, or code that is no file.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_userfaultfd,
    // Another process.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kill,
    // Ways past this filter.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // File systems, and files without a path; a file is cut through the open file (ftruncate).
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_mount_setattr,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_truncate,
    libc::SYS_fanotify_init,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    // Namespaces, and being another user.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_personality,
    // The kernel.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_vhangup,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    // The clock.
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
];

/// The same where only one machine has them.
#[cfg(target_arch = "x86_64")]
const FORBIDDEN_HERE: &[libc::c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS_mknod,
];
#[cfg(not(target_arch = "x86_64"))]
const FORBIDDEN_HERE: &[libc::c_long] = &[];

/// asm/unistd_x32.h: the same calls under other numbers, on a kernel that has that interface, and some more of them.
#[cfg(target_arch = "x86_64")]
const X32: libc::c_long = 0x4000_0000;
#[cfg(target_arch = "x86_64")]
const X32_ONLY: std::ops::Range<libc::c_long> = 512..548;

/// linux/prctl.h: would make this process one that others may look into.
const PR_SET_DUMPABLE: u64 = 4;

/// Calls that are forbidden with these arguments: the number, which argument, the bits that count, and their value.
const FORBIDDEN_WITH: &[(libc::c_long, u8, u64, u64)] = &[
    // A process instead of a thread.
    (libc::SYS_clone, 0, libc::CLONE_THREAD as u64, 0),
    // Memory that can be run: all of this program was there before this filter.
    (libc::SYS_mmap, 2, libc::PROT_EXEC as u64, libc::PROT_EXEC as u64),
    (libc::SYS_mprotect, 2, libc::PROT_EXEC as u64, libc::PROT_EXEC as u64),
    (libc::SYS_pkey_mprotect, 2, libc::PROT_EXEC as u64, libc::PROT_EXEC as u64),
    // Typing on the officer's terminal in her stead.
    (libc::SYS_ioctl, 1, u32::MAX as u64, libc::TIOCSTI),
    (libc::SYS_ioctl, 1, u32::MAX as u64, libc::TIOCLINUX),
    (libc::SYS_prctl, 0, u32::MAX as u64, PR_SET_DUMPABLE),
];

/// Puts the filter over this thread and all that it starts.
pub(super) fn confine(may_connect: bool) -> Result<(), String> {
    let apply = |program: Result<BpfProgram, BackendError>| {
        program
            .map_err(|e| e.to_string())
            .and_then(|program| apply_filter(&program).map_err(|e| e.to_string()))
    };
    apply(filter(Errno::PERM, forbidden(may_connect).map_err(|e| e.to_string())?))?;
    // Its arguments lie in memory, where no filter sees them: threads are begun by `clone`, as on a kernel without it.
    apply(filter(Errno::NOSYS, BTreeMap::from([(libc::SYS_clone3, Vec::new())])))
}

fn forbidden(may_connect: bool) -> Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for (call, argument, mask, value) in FORBIDDEN_WITH {
        let operator = SeccompCmpOp::MaskedEq(*mask);
        let condition = SeccompCondition::new(*argument, SeccompCmpArgLen::Qword, operator, *value)?;
        rules.entry(*call).or_default().push(SeccompRule::new(vec![condition])?);
    }
    let connecting = if may_connect { &[][..] } else { CONNECTING };
    rules.extend(FORBIDDEN.iter().chain(FORBIDDEN_HERE).chain(connecting).map(|call| (*call, Vec::new())));
    #[cfg(target_arch = "x86_64")]
    {
        let same: Vec<libc::c_long> =
            rules.keys().copied().chain([libc::SYS_clone3]).chain(X32_ONLY).collect();
        rules.extend(same.into_iter().map(|call| (X32 | call, Vec::new())));
    }
    Ok(rules)
}

fn filter(answer: Errno, rules: BTreeMap<i64, Vec<SeccompRule>>) -> Result<BpfProgram, BackendError> {
    let machine = TargetArch::try_from(std::env::consts::ARCH)?;
    let refused = SeccompAction::Errno(answer.raw_os_error().unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, refused, machine)?.try_into()
}
