#include "laconic/rewards/sentences.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_set>

#include "laconic/rewards/characters.h"

namespace laconic::rewards {
namespace {

using View = std::u32string_view;

// Longer tokens are no abbreviations; a bound on what is copied for each full stop.
constexpr size_t kLongestToken = 64;

const std::unordered_set<std::u32string>& abbreviations() {
  static const std::unordered_set<std::u32string> kAll = {
      // titles and names
      U"mr", U"mrs", U"ms", U"dr", U"prof", U"st", U"jr", U"sr", U"gen", U"sen", U"rep", U"reps", U"maj", U"col",
      U"adm", U"messrs", U"bros", U"ph.d", U"lt",
      // firms
      U"inc", U"ltd", U"co", U"corp", U"cos",
      // dates and places
      U"jan", U"feb", U"aug", U"sep", U"sept", U"oct", U"nov", U"dec", U"tues", U"wed", U"fri", U"calif", U"fla",
      U"mich", U"minn", U"tenn", U"wash", U"conn", U"ill", U"colo", U"ariz", U"ave", U"ft", U"u.s", U"u.k", U"u.n",
      U"u.s.a", U"d.c", U"n.y", U"n.j", U"l.a",
      // others
      U"vs", U"v", U"a.m", U"p.m", U"e.g", U"i.e", U"c.v", U"yr", U"mg"};
  return kAll;
}

// Words that begin a sentence when they stand in capitals behind an abbreviation.
const std::unordered_set<std::u32string>& starters() {
  static const std::unordered_set<std::u32string> kAll = {
      U"the",     U"a",        U"an",     U"it",    U"he",     U"she",   U"they", U"we",    U"you",
      U"i",       U"this",     U"that",   U"these", U"those",  U"there", U"but",  U"and",   U"or",
      U"if",      U"in",       U"on",     U"at",    U"for",    U"with",  U"when", U"while", U"what",
      U"why",     U"how",      U"who",    U"where", U"is",     U"are",   U"do",   U"does",  U"so",
      U"as",      U"however",  U"then",   U"also",  U"my",     U"your",  U"his",  U"her",   U"our",
      U"their",   U"some",     U"many",   U"most",  U"all",    U"each",  U"both", U"such",  U"since",
      U"because", U"although", U"though", U"after", U"before", U"to",    U"by",   U"from",  U"not",
      U"no",      U"yes",      U"please", U"let",   U"here",   U"now",   U"can",  U"will"};
  return kAll;
}

bool is_end(char32_t c) {
  return c == '.' || c == '?' || c == '!';
}

// What may follow the end of a sentence without white space.
bool is_closing(char32_t c) {
  return View(U")\";}]*:@'({[!?").find(c) != View::npos;
}

// The token that ends at `end`, without the punctuation in front of it.
View token_before(View text, size_t end) {
  size_t begin = end;
  while (begin > 0 && end - begin <= kLongestToken && !is_space(text[begin - 1])) --begin;
  View token = text.substr(begin, end - begin);
  while (!token.empty() && View(U"(\"`{[:;&#*@)}]-,'").find(token.front()) != View::npos) token.remove_prefix(1);
  return token;
}

View token_after(View text, size_t at) {
  size_t end = at;
  while (end < text.size() && end - at <= kLongestToken && !is_space(text[end])) ++end;
  View token = text.substr(at, end - at);
  while (!token.empty() && View(U".,;:!?\")]}*'").find(token.back()) != View::npos) token.remove_suffix(1);
  return token;
}

bool is_number(View token) {
  return !token.empty() && std::all_of(token.begin(), token.end(), [](char32_t c) {
    return is_digit(c) || c == '.' || c == ',' || c == '-';
  }) && std::any_of(token.begin(), token.end(), [](char32_t c) { return is_digit(c); });
}

// Of a full stop behind `token`, with white space and then `next` behind it (empty: closing punctuation follows).
bool ends_sentence(View token, View next) {
  const bool next_upper = !next.empty() && is_upper(next.front()), next_lower = !next.empty() && is_lower(next.front());
  const bool starter = next_upper && starters().contains(lower(next.substr(0, next.find(U'\''))));
  if (token.ends_with('.')) return starter;  // an ellipsis
  if (token.size() > kLongestToken) return true;
  const bool initial = token.size() == 1 && is_upper(token.front());
  if (initial) return token.front() == 'I' ? !next_lower : starter || (!next_upper && !next_lower);
  if (is_number(token)) return !next_lower;
  const std::u32string type = lower(token);
  const size_t hyphen = type.rfind('-');
  const bool short_form = abbreviations().contains(type) ||
                          (hyphen != std::u32string::npos && abbreviations().contains(type.substr(hyphen + 1)));
  return !short_form || starter;
}

// Where the token and what follows say that a sentence ends at text[at].
bool is_break(View text, size_t at) {
  const size_t behind = at + 1;
  if (behind >= text.size()) return false;
  if (is_closing(text[behind])) return text[at] != '.' || ends_sentence(token_before(text, at), View());
  if (!is_space(text[behind])) return false;
  size_t next = behind;
  while (next < text.size() && is_space(text[next])) ++next;
  if (next == text.size()) return false;
  return text[at] != '.' || ends_sentence(token_before(text, at), token_after(text, next));
}

// Quotes and brackets that close belong to the sentence in front of them.
size_t past_closing(View text, size_t at) {
  size_t end = at;
  while (end < text.size() && View(U"\"')]}").find(text[end]) != View::npos) ++end;
  const bool closes = end == text.size() || is_space(text[end]) || text.substr(end).starts_with(U"--");
  return closes ? end : at;
}

bool is_separator(View text, size_t at) {
  const char32_t c = text[at], next = at + 1 < text.size() ? text[at + 1] : U' ';
  if (is_space(c) || View(U";@#$%&?!*[](){}<>\"`«»“”‘’„").find(c) != View::npos) return true;
  if (c == ':' || c == ',') return !is_digit(next);
  const char32_t before = at > 0 ? text[at - 1] : U' ';
  return (c == '.' && (next == '.' || before == '.')) || (c == '-' && (next == '-' || before == '-'));
}

// How many of the pieces of a word are in capitals: a contraction is cut in two.
size_t capital_pieces(View word) {
  if (!all_upper(word)) {
    // Of two pieces the first may be in capitals alone: "NASA's".
    for (const View ending :
         {View(U"'s"), View(U"'m"), View(U"'d"), View(U"'ll"), View(U"'re"), View(U"'ve"), View(U"n't")})
      if (word.size() > ending.size() && word.ends_with(ending))
        return all_upper(word.substr(0, word.size() - ending.size())) ? 1 : 0;
    return 0;
  }
  for (const View ending :
       {View(U"'S"), View(U"'M"), View(U"'D"), View(U"'LL"), View(U"'RE"), View(U"'VE"), View(U"N'T")})
    if (word.size() > ending.size() && word.ends_with(ending))
      return 1 + (all_upper(word.substr(0, word.size() - ending.size())) ? 1 : 0);
  static constexpr std::array<View, 10> kTwoWords = {U"CANNOT", U"GIMME", U"GONNA",  U"GOTTA", U"LEMME",
                                                     U"WANNA",  U"D'YE",  U"MORE'N", U"'TIS",  U"'TWAS"};
  View bare = word;
  while (!bare.empty() && (bare.back() == '.' || bare.back() == '\'')) bare.remove_suffix(1);
  return std::find(kTwoWords.begin(), kTwoWords.end(), bare) != kTwoWords.end() ? 2 : 1;
}

}  // namespace

size_t count_sentences(View text) {
  text = strip(text);
  size_t count = 0, begin = 0;
  const auto close = [&](size_t end) {
    if (!strip(text.substr(begin, end - begin)).empty()) ++count;
    begin = end;
  };
  for (size_t at = 0; at < text.size(); ++at) {
    if (at < begin || !is_end(text[at]) || !is_break(text, at)) continue;
    close(past_closing(text, at + 1));
  }
  close(text.size());
  return count;
}

size_t count_words(View text) {
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_word(text[i]) && (i == 0 || !is_word(text[i - 1]))) ++count;
  }
  return count;
}

size_t count_capital_words(View text) {
  size_t count = 0;
  for (size_t begin = 0; begin < text.size();) {
    if (is_separator(text, begin)) {
      ++begin;
      continue;
    }
    size_t end = begin;
    while (end < text.size() && !is_separator(text, end)) ++end;
    count += capital_pieces(text.substr(begin, end - begin));
    begin = end;
  }
  return count;
}

}  // namespace laconic::rewards
