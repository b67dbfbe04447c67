// Every transport of this repository through the suite that a transport's author would run.
#include <amphibus/testing/conformance.hpp>
#include <amphibus/zeromq/zeromq.hpp>

int main(int argc, char** argv) {
  namespace testing = amphibus::testing;
  const auto plain = [] { return amphibus::zeromq::transport(); };
  const std::vector<testing::subject> subjects{
      testing::in_process(),
      testing::over("zeromq_ipc", plain, testing::fresh_ipc_endpoints()),
      testing::over("zeromq_tcp", plain, testing::free_tcp_endpoint, "over ZeroMQ, `best_effort`"),
  };
  return testing::conformance_main(argc, argv, subjects);
}
