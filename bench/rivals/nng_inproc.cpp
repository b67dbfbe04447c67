// nng inside one process: push0/pull0 for one subscriber; its pub/sub loses what does not fit, so it has no fan-out
// here.
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>

#include "harness/threads.hpp"
#include "rivals/rivals.hpp"

namespace bench {
namespace {

constexpr int buffered = 8192;  // the most that it takes

double run(const shape& of, std::size_t count) {
  using message = bench::message<32>;
  static std::atomic<int> number{0};
  const std::string address = "inproc://bench" + std::to_string(++number);
  std::atomic<bool> ready{false};
  std::atomic<bool> done{false};
  const auto consume = [&](std::size_t, std::size_t expected) {
    nng_socket socket;
    ::nng_pull0_open(&socket);
    if (::nng_setopt_int(socket, NNG_OPT_RECVBUF, buffered) != 0) return std::uint64_t{0};
    ::nng_listen(socket, address.c_str(), nullptr, 0);
    ready.store(true);
    std::uint64_t sum = 0;
    for (std::size_t got = 0; got != expected; ++got) {
      nng_msg* one = nullptr;
      if (::nng_recvmsg(socket, &one, 0) != 0) break;
      message value;
      std::memcpy(&value, ::nng_msg_body(one), sizeof value);
      sum += value.words[0];
      ::nng_msg_free(one);
    }
    done.store(true);
    ::nng_close(socket);
    return sum;
  };
  const auto publish = [&](std::size_t share) {
    while (!ready.load()) std::this_thread::yield();
    nng_socket socket;
    ::nng_push0_open(&socket);
    if (::nng_setopt_int(socket, NNG_OPT_SENDBUF, buffered) != 0) std::abort();  // it took the same to receive
    ::nng_dial(socket, address.c_str(), nullptr, 0);
    message value{};
    for (std::size_t i = 0; i != share; ++i) {
      value.words[0] = i;
      ::nng_send(socket, &value, sizeof value, 0);
    }
    while (!done.load()) std::this_thread::yield();  // what is on its way when it closes is lost
    ::nng_close(socket);
  };
  return run_threads(of, count, publish, consume);
}

}  // namespace

rival nng_inproc() {
  return {"nng", "push0/pull0 over inproc, buffers of 8192, nng_send and nng_recvmsg, which wait: polling is slower",
          &run, [](const shape& of) { return of.bytes == 32 && of.subscribers == 1; }, 0.001};
}

}  // namespace bench
