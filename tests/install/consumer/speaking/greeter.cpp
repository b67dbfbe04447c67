// One program, in one process or two: only the configuration file decides.
#include <amphibus/app.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include <cstdio>

#include <unistd.h>

#include "greeting_amphibus.h"

namespace {

constexpr amphibus::topic<consumer::GreetingT> greetings{"consumer.greetings"};
constexpr amphibus::topic<consumer::GreetingT> answers{"consumer.answers"};
constexpr std::uint32_t count = 100;

void start_speaker(amphibus::module& m) {
  m.subscribe(answers, [&m](const consumer::GreetingT& last) {
    std::printf("answer %u: %s\n", last.number, last.text.c_str());
    std::fflush(stdout);
    m.done();
  });
  m.run([&m](std::stop_token) {
    auto out = m.publisher(greetings);
    consumer::GreetingT greeting;
    greeting.text = std::to_string(::getpid());
    for (greeting.number = 1; greeting.number <= count; ++greeting.number) out.publish(greeting);
  });
}

void start_listener(amphibus::module& m) {
  m.subscribe(greetings, [&m](const consumer::GreetingT& one) {
    if (one.number != count) return;
    consumer::GreetingT answer;
    answer.number = one.number;
    answer.text = one.text == std::to_string(::getpid()) ? "from the same process" : "from another process";
    m.bus().publish(answers, answer);
    m.done();
  });
}

}  // namespace

int main(int argc, char** argv) {
  amphibus::app greeter{argc, argv};
  greeter.transport(amphibus::zeromq::transport());
  greeter.module("speaker", start_speaker);
  greeter.module("listener", start_listener);
  return greeter.run();
}
