#pragma once

#include <amphibus/bus.hpp>

#include <string>

// What program and plug-ins know of each other. No visibility is given: the types are as hidden as each part's flags
// say.
struct letter {
  std::string text;
};
struct answer {
  std::string text;
};
inline constexpr amphibus::topic<letter> letters{"plugins.letters"};
inline constexpr amphibus::topic<answer> answers{"plugins.answers"};

struct plugin {
  virtual ~plugin() = default;
};
using attach_to = plugin*(amphibus::bus& bus, const char* name);
using break_rules = void(amphibus::bus& bus);
