#include "laconic/rewards/notation_tables.h"

#include <string>
#include <unordered_map>

namespace laconic::rewards {
namespace {

using Action = CommandRule::Action;
using Rules = std::unordered_map<std::string_view, CommandRule>;

void add(Rules& rules, Action action, std::initializer_list<std::string_view> names) {
  for (const auto name : names) rules[name] = {action, {}};
}

Rules make_rules() {
  Rules rules;
  add(rules, Action::keep,
      {"frac",     "sqrt",    "pi",       "infty",  "cup",      "cap",    "setminus", "pm",     "mp",     "div",
       "le",       "ge",      "lt",       "gt",     "ne",       "approx", "in",       "circ",   "alpha",  "beta",
       "gamma",    "delta",   "epsilon",  "zeta",   "eta",      "theta",  "iota",     "kappa",  "lambda", "mu",
       "nu",       "xi",      "rho",      "sigma",  "tau",      "phi",    "chi",      "psi",    "omega",  "Gamma",
       "Delta",    "Theta",   "Lambda",   "Xi",     "Pi",       "Sigma",  "Phi",      "Psi",    "Omega",  "sin",
       "cos",      "tan",     "cot",      "sec",    "csc",      "sinh",   "cosh",     "tanh",   "arcsin", "arccos",
       "arctan",   "ln",      "log",      "lg",     "exp",      "max",    "min",      "gcd",    "lcm",    "det",
       "binom",    "bmod",    "pmod",     "mod",    "emptyset", "mid",    "lfloor",   "rfloor", "lceil",  "rceil",
       "langle",   "rangle",  "overline", "dot",    "begin",    "end",    "prime",    "lim",    "sum",    "prod",
       "int",      "partial", "nabla",    "forall", "exists",   "equiv",  "cong",     "sim",    "propto", "perp",
       "parallel", "angle",   "triangle", "ell",    "hbar",     "aleph",  "dots",     "arccot", "coth",   "choose",
       "wedge",    "vee",     "neg",      "subset", "subseteq", "notin",  "top"});
  add(rules, Action::drop,
      {"left",  "right",        "middle",    "big",    "Big",      "bigg",  "Bigg",        "bigl",
       "bigr",  "Bigl",         "Bigr",      "biggl",  "biggr",    "Biggl", "Biggr",       "rm",
       "bf",    "displaystyle", "textstyle", "limits", "nolimits", "it",    "scriptstyle", "nonumber",
       "notag", "boldmath",     "strut",     "large",  "Large"});
  add(rules, Action::space, {"quad", "qquad", "enspace", "thinspace", "enskip", "hfill", "par", "newline"});
  add(rules, Action::wrap_text,
      {"text", "textrm", "textbf", "textit", "textsf", "texttt", "textnormal", "mbox", "hbox", "mathrm", "operatorname",
       "emph", "textsc", "mathsf", "mathtt"});
  add(rules, Action::wrap,
      {"mathbf",         "mathit",    "mathcal",    "mathbb",     "mathfrak", "mathscr",   "vec",   "hat",    "bar",
       "tilde",          "widehat",   "widetilde",  "boldsymbol", "bm",       "underline", "boxed", "fbox",   "mathop",
       "overrightarrow", "overbrace", "underbrace", "ensuremath", "mathbin",  "mathrel",   "pmb",   "cancel", "bold"});
  add(rules, Action::restart, {"implies", "Rightarrow", "Longrightarrow", "therefore", "Leftrightarrow", "iff"});
  const std::pair<std::string_view, std::string_view> synonyms[] = {{"times", "*"},
                                                                    {"cdot", "*"},
                                                                    {"dfrac", "\\frac"},
                                                                    {"tfrac", "\\frac"},
                                                                    {"cfrac", "\\frac"},
                                                                    {"dbinom", "\\binom"},
                                                                    {"tbinom", "\\binom"},
                                                                    {"leq", "\\le "},
                                                                    {"geq", "\\ge "},
                                                                    {"leqslant", "\\le "},
                                                                    {"geqslant", "\\ge "},
                                                                    {"neq", "\\ne "},
                                                                    {"ast", "*"},
                                                                    {"lbrace", "\\{"},
                                                                    {"rbrace", "\\}"},
                                                                    {"lbrack", "["},
                                                                    {"rbrack", "]"},
                                                                    {"lvert", "|"},
                                                                    {"rvert", "|"},
                                                                    {"vert", "|"},
                                                                    {"degree", "^\\circ "},
                                                                    {"varnothing", "\\emptyset "},
                                                                    {"varphi", "\\phi "},
                                                                    {"varepsilon", "\\epsilon "},
                                                                    {"vartheta", "\\theta "},
                                                                    {"colon", ":"},
                                                                    {"ldots", "\\dots "},
                                                                    {"cdots", "\\dots "},
                                                                    {"backslash", "\\setminus "},
                                                                    {"sp", "^"},
                                                                    {"lparen", "("},
                                                                    {"rparen", ")"},
                                                                    {"simeq", "\\approx "},
                                                                    {"percent", "%"},
                                                                    {"land",
                                                                     "\x02"
                                                                     "and "},
                                                                    {"lor",
                                                                     "\x02"
                                                                     "or "},
                                                                    {"isin", "\\in "},
                                                                    {"euro", "\xe2\x82\xac"},
                                                                    {"pounds", "\xc2\xa3"},
                                                                    {"textdollar", "\\$"},
                                                                    {"cosec", "\\csc "},
                                                                    {"asin", "\\arcsin "},
                                                                    {"acos", "\\arccos "},
                                                                    {"atan", "\\arctan "},
                                                                    {"to", "\\to "},
                                                                    {"rightarrow", "\\to "},
                                                                    {"infin", "\\infty "},
                                                                    {"doteq", "="},
                                                                    {"bigcup", "\\cup "},
                                                                    {"bigcap", "\\cap "}};
  for (const auto& [name, replacement] : synonyms) rules[name] = {Action::replace, replacement};
  return rules;
}

using UnicodeMap = std::unordered_map<std::string_view, std::string_view>;

UnicodeMap make_unicode() {
  return {{"\u2212", "-"},
          {"\u2013", "-"},
          {"\u2014", "-"},
          {"\u00d7", "*"},
          {"\u00b7", "*"},
          {"\u22c5", "*"},
          {"\u2217", "*"},
          {"\u00f7", "/"},
          {"\u2044", "/"},
          {"\u2215", "/"},
          {"\u2264", "\\le "},
          {"\u2265", "\\ge "},
          {"\u2a7d", "\\le "},
          {"\u2a7e", "\\ge "},
          {"\u2260", "\\ne "},
          {"\u2248", "\\approx "},
          {"\u221e", "\\infty "},
          {"\u03c0", "\\pi "},
          {"\u221a", "\\sqrt "},
          {"\u221b", "\\sqrt[3]"},
          {"\u00b0", "^\\circ "},
          {"\u2218", "\\circ "},
          {"\u222a", "\\cup "},
          {"\u2229", "\\cap "},
          {"\u2205", "\\emptyset "},
          {"\u00b1", "\\pm "},
          {"\u2213", "\\mp "},
          {"\u2208", "\\in "},
          {"\u2070", "^{0}"},
          {"\u00b9", "^{1}"},
          {"\u00b2", "^{2}"},
          {"\u00b3", "^{3}"},
          {"\u2074", "^{4}"},
          {"\u2075", "^{5}"},
          {"\u2076", "^{6}"},
          {"\u2077", "^{7}"},
          {"\u2078", "^{8}"},
          {"\u2079", "^{9}"},
          {"\u00bd", "\\frac{1}{2}"},
          {"\u00bc", "\\frac{1}{4}"},
          {"\u00be", "\\frac{3}{4}"},
          {"\u2153", "\\frac{1}{3}"},
          {"\u2154", "\\frac{2}{3}"},
          {"\u215b", "\\frac{1}{8}"},
          {"\u2155", "\\frac{1}{5}"},
          {"\u00a0", " "},
          {"\u2009", " "},
          {"\u202f", " "},
          {"\u2003", " "},
          {"\u3000", " "},
          {"\u200b", ""},
          {"\ufeff", ""},
          {"\u2061", ""},
          {"\u03b1", "\\alpha "},
          {"\u03b2", "\\beta "},
          {"\u03b3", "\\gamma "},
          {"\u03b4", "\\delta "},
          {"\u03b8", "\\theta "},
          {"\u03bb", "\\lambda "},
          {"\u03bc", "\\mu "},
          {"\u03c1", "\\rho "},
          {"\u03c3", "\\sigma "},
          {"\u03c6", "\\phi "},
          {"\u03c9", "\\omega "},
          {"\u03b5", "\\epsilon "},
          {"\u03c4", "\\tau "},
          {"\u03c8", "\\psi "},
          {"\u0394", "\\Delta "},
          {"\u03a9", "\\Omega "},
          {"\uff10", "0"},
          {"\uff11", "1"},
          {"\uff12", "2"},
          {"\uff13", "3"},
          {"\uff14", "4"},
          {"\uff15", "5"},
          {"\uff16", "6"},
          {"\uff17", "7"},
          {"\uff18", "8"},
          {"\uff19", "9"},
          {"\uff0d", "-"},
          {"\uff0e", "."},
          {"\uff0f", "/"},
          {"\uff08", "("},
          {"\uff09", ")"},
          {"\uff0c", ","},
          {"\u3001", ","},
          {"\uff1a", ":"},
          {"\uff1d", "="},
          {"\u3002", "."},
          {"\uff05", "%"},
          {"\uff0b", "+"},
          {"\u2032", "'"},
          {"\u2019", "'"},
          {"\u2211", "\\sum "},
          {"\u27e8", "\\langle "},
          {"\u27e9", "\\rangle "},
          {"\u2192", "\\to "},
          {"\u2026", "\\dots "},
          {"\u2223", "|"},
          {"\u6216",
           "\x02"
           "or "},
          {"\u548c",
           "\x02"
           "and "},
          {"\u2227",
           "\x02"
           "and "},
          {"\u2228",
           "\x02"
           "or "}};
}

}  // namespace

std::optional<CommandRule> command_rule(std::string_view name) {
  static const Rules rules = make_rules();
  const auto found = rules.find(name);
  if (found == rules.end()) return std::nullopt;
  return found->second;
}

std::optional<UnicodeRule> unicode_rule(std::string_view text) {
  static const UnicodeMap rules = make_unicode();
  for (size_t bytes = 2; bytes <= 3 && bytes <= text.size(); ++bytes) {
    const auto found = rules.find(text.substr(0, bytes));
    if (found != rules.end()) return UnicodeRule{found->second, bytes};
  }
  return std::nullopt;
}

}  // namespace laconic::rewards
