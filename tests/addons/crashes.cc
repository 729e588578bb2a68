/* Every way in which an addon can end its process, or make somebody end it, each in a function with a name of its own.
 */
#include "common.h"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <mutex>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#define CRASH extern "C" __attribute__((noinline)) void

static volatile int sink;

CRASH crash_null_pointer() {
  volatile int *volatile nowhere = nullptr;
  *nowhere = 1;
}

static inline __attribute__((always_inline)) void inlined_write(volatile int *where) {
  *where = 1;
}

CRASH crash_inlined() {
  volatile int *volatile nowhere = nullptr;
  inlined_write(nowhere);
}

CRASH crash_wild_pointer() {
  volatile int *volatile wild = reinterpret_cast<volatile int *>(0x6e6170692d72);
  sink = *wild;
}

CRASH crash_null_call() {
  void (*volatile nowhere)() = nullptr;
  nowhere();
  sink = 1;
}

/* A page behind the end of the file. */
CRASH crash_truncated_map() {
  int fd = memfd_create("truncated", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, 8192) != 0) return;
  volatile char *bytes = static_cast<char *>(mmap(nullptr, 8192, PROT_READ, MAP_SHARED, fd, 0));
  if (ftruncate(fd, 0) == 0) sink = bytes[4096];
}

CRASH crash_illegal_instruction() {
  __builtin_trap();
}

CRASH crash_division() {
  volatile int zero = 0;
  sink = 7 / zero;
}

CRASH crash_abort() {
  abort();
}

CRASH crash_exit() {
  exit(3);
}

CRASH crash_quick_exit() {
  _exit(4);
}

CRASH crash_recursion() {
  volatile char room[4096];
  room[0] = 1;
  if (room[0] != 0) crash_recursion();
  sink = room[0];
}

CRASH crash_double_free() {
  void *volatile block = malloc(24);
  free(block);
  free(block);
  sink = 1; /* no tail call: the frame is to be seen */
}

CRASH crash_terminate() {
  std::terminate();
}

static __attribute__((noinline)) void throw_something() {
  throw std::runtime_error("thrown across the boundary");
}

/* What a panic of Rust across the boundary comes to as well: an exception meets a function that lets none out. */
CRASH crash_exception() noexcept {
  throw_something();
}

CRASH crash_out_of_memory() {
  struct rlimit limit = {UINT64_C(4) << 30, UINT64_C(4) << 30};
  if (setrlimit(RLIMIT_AS, &limit) != 0) return;
  while (char *block = static_cast<char *>(malloc(32 << 20))) block[0] = 1;
  abort();
}

CRASH crash_in_thread() {
  std::thread([] { crash_null_pointer(); }).join();
}

/* What has no code below it that could tell where it comes from. */
CRASH crash_smashed_stack() {
  volatile uintptr_t *frame = static_cast<volatile uintptr_t *>(__builtin_frame_address(0));
  for (int i = 0; i < 64; i++) frame[i] = 0x4141414141414141;
}

CRASH crash_trap() {
  sink = raise(SIGTRAP);
}

CRASH crash_system_call() {
  sink = raise(SIGSYS);
}

CRASH crash_killed() {
  raise(SIGKILL);
}

static void tell(const char *fifo) {
  int fd = open(fifo, O_WRONLY | O_CLOEXEC);
  if (write(fd, "x", 1) == 1) close(fd);
}

CRASH hang_in_loop() {
  for (;;) sink = 1;
}

CRASH hang_in_deadlock() {
  std::mutex first, second;
  first.lock();
  std::thread other([&] {
    second.lock();
    first.lock();
  });
  while (second.try_lock()) second.unlock();
  second.lock();
}

CRASH hang_stopped() {
  raise(SIGSTOP);
  sink = 1;
}

CRASH hang_handling_abort() {
  signal(SIGABRT, [](int) { _exit(8); });
  for (;;) pause();
}

CRASH crash_recursion_in_thread() {
  std::thread(crash_recursion).join();
  sink = 1;
}

static const struct {
  const char *name;
  void (*function)();
} ways[] = {
    {"null_pointer", crash_null_pointer},
    {"inlined", crash_inlined},
    {"wild_pointer", crash_wild_pointer},
    {"null_call", crash_null_call},
    {"truncated_map", crash_truncated_map},
    {"illegal_instruction", crash_illegal_instruction},
    {"division", crash_division},
    {"abort", crash_abort},
    {"exit", crash_exit},
    {"quick_exit", crash_quick_exit},
    {"recursion", crash_recursion},
    {"double_free", crash_double_free},
    {"terminate", crash_terminate},
    {"exception", crash_exception},
    {"out_of_memory", crash_out_of_memory},
    {"in_thread", crash_in_thread},
    {"recursion_in_thread", crash_recursion_in_thread},
    {"smashed_stack", crash_smashed_stack},
    {"trap", crash_trap},
    {"system_call", crash_system_call},
    {"killed", crash_killed},
    {"in_loop", hang_in_loop},
    {"in_deadlock", hang_in_deadlock},
    {"stopped", hang_stopped},
    {"handles_abort", hang_handling_abort},
};

/* crash(name[, path of a FIFO to write to before]) */
static napi_value crash(napi_env env, napi_callback_info info) {
  napi_value argv[2], words;
  t_args(env, info, argv, 2);
  char *name = t_text(env, argv[0]), *fifo = t_text(env, argv[1]);
  T_OK(napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &words));
  if (fifo != nullptr) tell(fifo);
  for (const auto &way : ways) {
    if (strcmp(way.name, name) == 0) way.function();
  }
  free(fifo);
  free(name);
  return words;
}

static napi_value fatal(napi_env env, napi_callback_info info) {
  napi_fatal_error("crashes.cc", NAPI_AUTO_LENGTH, "as was to be expected", NAPI_AUTO_LENGTH);
}

/* call(function): calls it. */
static napi_value call(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = nullptr;
  t_args(env, info, argv, 1);
  napi_call_function(env, t_undefined(env), argv[0], 0, nullptr, &result);
  return result;
}

/* Closes the descriptors from 3 on (the first ones are the test's own output) up to 20. */
static napi_value close_descriptors(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  for (int fd = t_int(env, argv[0]); fd <= 20; fd++) close(fd);
  return nullptr;
}

static void recover(int) {
  signal(SIGSEGV, SIG_DFL);
  _exit(9);
}

/* An addon's own handler takes the place of the host's. */
static napi_value handle_itself(napi_env env, napi_callback_info info) {
  signal(SIGSEGV, recover);
  crash_null_pointer();
  return nullptr;
}

/* On a thread of the pool, whose stack is another. */
static napi_value recurse_in_work(napi_env env, napi_callback_info info) {
  static napi_async_work work;
  T_OK(napi_create_async_work(
      env, nullptr, t_string(env, "recursion"), [](napi_env, void *) { crash_recursion(); },
      [](napi_env, napi_status, void *) {}, nullptr, &work));
  T_OK(napi_queue_async_work(env, work));
  return nullptr;
}

/* A crash of a child of this process is none of this process. Returns the signal that ended it. */
static napi_value crash_child(napi_env env, napi_callback_info info) {
  pid_t pid = fork();
  if (pid == 0) {
    crash_abort();
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return t_number(env, WIFSIGNALED(status) ? WTERMSIG(status) : -1);
}

static const struct t_function functions[] = {
    {"crash", crash},
    {"fatal", fatal},
    {"call", call},
    {"close_descriptors", close_descriptors},
    {"handle_itself", handle_itself},
    {"crash_child", crash_child},
    {"recurse_in_work", recurse_in_work},
};

T_INIT(functions)
