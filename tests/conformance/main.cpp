// Every transport of this repository through the suite that a transport's author would run.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <amphibus/base/ids.hpp>
#include <amphibus/testing/conformance.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include "slicing_proxy.hpp"

namespace {

/// Random, or what AMPHIBUS_SEED says.
std::uint64_t seed() {
  const char* const given = std::getenv("AMPHIBUS_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : amphibus::base::random_nonzero();
}

}  // namespace

int main(int argc, char** argv) {
  namespace testing = amphibus::testing;
  const std::uint64_t slices = seed();
  slicing_proxy proxy(slices);
  // Short pipes: a case that fills the way to a stopped reader has less to fill, and can be repeated more often.
  constexpr std::size_t pipe_max_bytes = std::size_t{256} << 10U;
  const auto plain = [] { return amphibus::zeromq::transport({.pipe_max_bytes = pipe_max_bytes}); };
  // Pings more often, because a case that leaves a peer without goodbye waits until it is called lost.
  const auto sliced = [&] {
    return amphibus::zeromq::transport(
        {.ping_interval = std::chrono::seconds(2), .pipe_max_bytes = pipe_max_bytes, .socks_proxy = proxy.address()});
  };
  const std::vector<testing::subject> subjects{
      testing::in_process(),
      testing::over("zeromq_ipc", plain, testing::fresh_ipc_endpoints()),
      testing::over("zeromq_tcp", plain, testing::free_tcp_endpoint, "over ZeroMQ, `best_effort`"),
      testing::over("zeromq_tcp_sliced", sliced, testing::free_tcp_endpoint),
  };
  const int status = testing::conformance_main(argc, argv, subjects);
  if (status == 1) std::printf("slices: AMPHIBUS_SEED=%llu\n", static_cast<unsigned long long>(slices));
  return status;
}
