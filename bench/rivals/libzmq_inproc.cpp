// libzmq inside one process: PUSH/PULL, which loses nothing and is its fastest pair; XPUB with NODROP for several
// subscribers. A message per frame.
#include <zmq.h>

#include <atomic>
#include <string>

#include "harness/threads.hpp"
#include "rivals/rivals.hpp"

namespace bench {
namespace {

void* open(void* context, int type, int bound) {
  void* const socket = ::zmq_socket(context, type);
  ::zmq_setsockopt(socket, ZMQ_SNDHWM, &bound, sizeof bound);
  ::zmq_setsockopt(socket, ZMQ_RCVHWM, &bound, sizeof bound);
  const int on = 1;
  if (type == ZMQ_XPUB) ::zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &on, sizeof on);
  if (type == ZMQ_SUB) ::zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
  return socket;
}

template <class Message>
double run_size(const shape& of, std::size_t count) {
  void* const context = ::zmq_ctx_new();
  const bool fans_out = of.subscribers != 1;
  const int bound = static_cast<int>(of.bound) / 2;  // libzmq adds both ends
  void* sending = nullptr;
  if (fans_out) {
    sending = open(context, ZMQ_XPUB, bound);
    ::zmq_bind(sending, "inproc://bench");
  }
  std::atomic<int> ready{0};
  const auto consume = [&](std::size_t, std::size_t expected) {
    void* const socket = open(context, fans_out ? ZMQ_SUB : ZMQ_PULL, bound);
    fans_out ? ::zmq_connect(socket, "inproc://bench") : ::zmq_bind(socket, "inproc://bench");
    ready.fetch_add(1);
    std::uint64_t sum = 0;
    Message one;
    for (std::size_t got = 0; got != expected; ++got) {
      ::zmq_recv(socket, &one, sizeof one, 0);
      sum += one.words[0];
    }
    ::zmq_close(socket);
    return sum;
  };
  const auto publish = [&](std::size_t share) {
    while (ready.load() != of.subscribers) std::this_thread::yield();
    void* const socket = fans_out ? sending : open(context, ZMQ_PUSH, bound);
    if (!fans_out) ::zmq_connect(socket, "inproc://bench");
    char subscription[8];
    for (int i = 0; fans_out && i != of.subscribers; ++i) ::zmq_recv(socket, subscription, sizeof subscription, 0);
    Message one{};
    for (std::size_t i = 0; i != share; ++i) {
      one.words[0] = i;
      ::zmq_send(socket, &one, sizeof one, 0);
    }
    ::zmq_close(socket);
  };
  const double rate = run_threads(of, count, publish, consume);
  ::zmq_ctx_term(context);
  return rate;
}

}  // namespace

rival libzmq_inproc() {
  return {"libzmq inproc", "PUSH/PULL, or XPUB with NODROP to several SUB; zmq_send and zmq_recv, a message per frame",
          [](const shape& of, std::size_t count) {
            return with_size(of.bytes, [&]<class M>() {
              if constexpr (sizeof(M) <= 4096) return run_size<M>(of, count);
              return 0.0;
            });
          },
          [](const shape& of) { return of.bytes <= 4096 && (of.subscribers == 1 || of.publishers == 1); }, 0.05};
}

}  // namespace bench
