// host PLUGIN PLUGIN: one bus, one topic, three parts that each compiled the message type.
#include <amphibus/base/error.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <dlfcn.h>

#include "letter.hpp"

namespace {

struct secret {
  int number;
};
constexpr amphibus::topic<secret> secrets{"plugins.secrets"};

int checks = 0;
bool all_hold = true;
void check(bool holds, const std::string& what) {
  ++checks;
  if (!holds) std::printf("FAILED: %s\n", what.c_str());
  all_hold = all_hold && holds;
}

template <class Function>
Function* load(void* library, const char* name) {
  auto* const found = library == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(library, name));
  if (found == nullptr) std::printf("%s\n", dlerror());
  return found;
}

struct received {
  std::string text;
  bool follows_the_letter;
};

bool has(const std::vector<received>& all, const std::string& text) {
  return std::any_of(all.begin(), all.end(), [&](const received& each) { return each.text == text; });
}

/// The exception of a plug-in is the one this program knows.
void check_refusal(amphibus::bus& bus, break_rules& call, const char* which) {
  bool caught = false;
  try {
    call(bus);
  } catch (const amphibus::error& why) {
    caught = why.code() == amphibus::error_code::topic_type_conflict;
  }
  check(caught, std::string(which) + ": the same name in two anonymous namespaces is two types, and the error arrives");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  amphibus::bus bus;
  std::vector<received> all;
  std::vector<amphibus::message_id> letter_ids;
  auto own = bus.subscribe(letters, [&](const letter&, const amphibus::context& c) { letter_ids.push_back(c.id()); });
  auto sub = bus.subscribe(answers, [&](const answer& a, const amphibus::context& c) {
    all.push_back({a.text, !letter_ids.empty() && c.causation() == letter_ids.front()});
  });
  bus.publish(secrets, {1});

  const char* const names[] = {"seen", "hidden"};
  std::vector<std::unique_ptr<plugin>> plugins;
  for (int i = 0; i < 2; ++i) {
    void* const library = dlopen(argv[i + 1], RTLD_NOW | RTLD_LOCAL);
    auto* const attach = load<attach_to>(library, "attach");
    auto* const break_the_rules = load<break_rules>(library, "break_the_rules");
    if (attach == nullptr || break_the_rules == nullptr) return 1;
    plugins.emplace_back(attach(bus, names[i]));
    check_refusal(bus, *break_the_rules, names[i]);
  }
  bus.publish(letters, {"hello"});
  bus.drain();

  check(letter_ids.size() == 1, "the program gets its own letter");
  for (const std::string name : names) {
    check(has(all, name + ": hello"), name + ": a plug-in handles what the program publishes, and the other way round");
    check(has(all, name + " tapped: hello"), name + ": a plug-in knows the type of any message");
  }
  check(all.size() == 4, "nothing is delivered twice");
  check(std::all_of(all.begin(), all.end(), [](const received& each) { return each.follows_the_letter; }),
        "a handler in a plug-in publishes as that handler: the answer names the letter as its cause");
  if (all_hold) std::printf("ok: %d checks\n", checks);
  return all_hold ? 0 : 1;
}
