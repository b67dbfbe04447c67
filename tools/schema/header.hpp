#pragma once

#include <string>

#include "load.hpp"

namespace amphibus::schema {

/// The text of NAME_amphibus.h: traits and codec of every table that NAME.fbs declares itself, the constants of its
/// topics, and the schema as bytes. What an included schema declares comes from that schema's own header.
///
/// Throws: problem where two topics of one namespace would get one constant.
std::string header_of(const loaded& schema);

/// A file as make writes it in a rule.
std::string make_word(const std::string& path);

/// The absolute paths of a schema and of all that it includes, each after a blank: what a build must watch.
std::string watched_by(const loaded& schema);

}  // namespace amphibus::schema
