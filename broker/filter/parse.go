package filter

// The grammar, loosest first:
//
//	or      = and { OR and }
//	and     = not { AND not }
//	not     = NOT not | compare
//	compare = sum [ ("=" | "<>" | "<" | ">" | "<=" | ">=") sum
//	              | IS [NOT] NULL
//	              | [NOT] BETWEEN sum AND sum
//	              | [NOT] LIKE string [ESCAPE string]
//	              | [NOT] IN "(" literal { "," literal } ")" ]
//	sum     = product { ("+" | "-") product }
//	product = sign { ("*" | "/" | "%") sign }
//	sign    = ("+" | "-") sign | literal | name | TRUE | FALSE | NULL | "(" or ")"

const (
	depthMax = 100  // nesting of parentheses, NOT and signs
	nodesMax = 4096 // parts of one filter
	likeMax  = 1024 // characters of a LIKE pattern: matching costs its length times the string's
)

type parser struct {
	lexer   lexer
	token   token
	convert bool
	depth   int
	nodes   int
}

func (p *parser) parse() (node, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.token.kind != tokenEnd {
		return nil, errorAt(p.token.at, "the filter should end")
	}
	return root, nil
}

func (p *parser) advance() *Error {
	t, err := p.lexer.next()
	if err != nil {
		return err
	}
	p.token = t
	p.nodes++
	if p.nodes > nodesMax {
		return errorAt(t.at, "filter has more than %d parts", nodesMax)
	}
	return nil
}

// accept consumes the token if it is that keyword or sign.
func (p *parser) accept(kind tokenKind, text string) (bool, *Error) {
	if p.token.kind != kind || p.token.text != text {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(kind tokenKind, text string) *Error {
	ok, err := p.accept(kind, text)
	if err != nil {
		return err
	}
	if !ok {
		return errorAt(p.token.at, "%s is missing", text)
	}
	return nil
}

func (p *parser) enter() *Error {
	p.depth++
	if p.depth > depthMax {
		return errorAt(p.token.at, "filter is nested deeper than %d", depthMax)
	}
	return nil
}

func (p *parser) or() (node, *Error) {
	return p.chain("OR", p.and, func(parts []node) node { return anyOf(parts) })
}

func (p *parser) and() (node, *Error) {
	return p.chain("AND", p.not, func(parts []node) node { return allOf(parts) })
}

// chain parses "part { word part }"; one part alone stays what it is.
func (p *parser) chain(word string, part func() (node, *Error), join func([]node) node) (node, *Error) {
	first, err := part()
	if err != nil {
		return nil, err
	}
	parts := []node{first}
	for {
		ok, err := p.accept(tokenKeyword, word)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		next, err := part()
		if err != nil {
			return nil, err
		}
		parts = append(parts, next)
	}
	if len(parts) == 1 {
		return first, nil
	}
	return join(parts), nil
}

func (p *parser) not() (node, *Error) {
	ok, err := p.accept(tokenKeyword, "NOT")
	if err != nil {
		return nil, err
	}
	if !ok {
		return p.compare()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	of, err := p.not()
	if err != nil {
		return nil, err
	}
	return negation{of}, nil
}

func (p *parser) compare() (node, *Error) {
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	if p.token.kind == tokenSign {
		switch op := p.token.text; op {
		case "=", "<>", "<", ">", "<=", ">=":
			if err := p.advance(); err != nil {
				return nil, err
			}
			right, err := p.sum()
			if err != nil {
				return nil, err
			}
			return comparison{op: op, left: left, right: right, convert: p.convert}, nil
		}
		return left, nil
	}
	if p.token.kind != tokenKeyword {
		return left, nil
	}
	return p.predicate(left)
}

func (p *parser) predicate(left node) (node, *Error) {
	if ok, err := p.accept(tokenKeyword, "IS"); ok || err != nil {
		if err != nil {
			return nil, err
		}
		return p.isNull(left)
	}
	negated, err := p.accept(tokenKeyword, "NOT")
	if err != nil {
		return nil, err
	}
	var n node
	switch {
	case p.token.kind != tokenKeyword:
	case p.token.text == "BETWEEN":
		n, err = p.between(left)
	case p.token.text == "LIKE":
		n, err = p.like(left)
	case p.token.text == "IN":
		n, err = p.in(left)
	}
	switch {
	case err != nil:
		return nil, err
	case n == nil && negated:
		return nil, errorAt(p.token.at, "BETWEEN, LIKE or IN is missing")
	case n == nil:
		return left, nil
	case negated:
		return negation{n}, nil
	}
	return n, nil
}

func (p *parser) isNull(left node) (node, *Error) {
	negated, err := p.accept(tokenKeyword, "NOT")
	if err != nil {
		return nil, err
	}
	if err := p.expect(tokenKeyword, "NULL"); err != nil {
		return nil, err
	}
	return nullTest{of: left, negated: negated}, nil
}

func (p *parser) between(left node) (node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	low, err := p.sum()
	if err != nil {
		return nil, err
	}
	if err := p.expect(tokenKeyword, "AND"); err != nil {
		return nil, err
	}
	high, err := p.sum()
	if err != nil {
		return nil, err
	}
	return allOf{
		comparison{op: ">=", left: left, right: low, convert: p.convert},
		comparison{op: "<=", left: left, right: high, convert: p.convert},
	}, nil
}

func (p *parser) like(left node) (node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	pattern, err := p.stringLiteral("LIKE")
	if err != nil {
		return nil, err
	}
	escape := ""
	if ok, err := p.accept(tokenKeyword, "ESCAPE"); err != nil {
		return nil, err
	} else if ok {
		at := p.token.at
		if escape, err = p.stringLiteral("ESCAPE"); err != nil {
			return nil, err
		}
		if len([]rune(escape)) != 1 {
			return nil, errorAt(at, "ESCAPE takes one character")
		}
	}
	parts := compileLike(pattern, escape)
	if len(parts) > likeMax {
		return nil, errorAt(p.token.at, "LIKE pattern is longer than %d characters", likeMax)
	}
	return likeTest{of: left, pattern: parts}, nil
}

func (p *parser) stringLiteral(after string) (string, *Error) {
	if p.token.kind != tokenLiteral || p.token.value.kind != kindString {
		return "", errorAt(p.token.at, "a string in quotes is missing behind %s", after)
	}
	s := p.token.value.string
	return s, p.advance()
}

func (p *parser) in(left node) (node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.expect(tokenSign, "("); err != nil {
		return nil, err
	}
	var list []Value
	for {
		v, err := p.sum()
		if err != nil {
			return nil, err
		}
		c, ok := v.(constant)
		if !ok {
			return nil, errorAt(p.token.at, "IN takes literals only")
		}
		list = append(list, c.value)
		more, err := p.accept(tokenSign, ",")
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	if err := p.expect(tokenSign, ")"); err != nil {
		return nil, err
	}
	return inTest{of: left, list: list}, nil
}

func (p *parser) sum() (node, *Error) { return p.operators("+-", p.product) }

func (p *parser) product() (node, *Error) { return p.operators("*/%", p.sign) }

func (p *parser) operators(ops string, part func() (node, *Error)) (node, *Error) {
	left, err := part()
	if err != nil {
		return nil, err
	}
	for p.token.kind == tokenSign && len(p.token.text) == 1 && containsByte(ops, p.token.text[0]) {
		op := p.token.text[0]
		if err := p.advance(); err != nil {
			return nil, err
		}
		right, err := part()
		if err != nil {
			return nil, err
		}
		left = fold(operation{op: op, left: left, right: right})
	}
	return left, nil
}

func containsByte(s string, c byte) bool {
	for i := range len(s) {
		if s[i] == c {
			return true
		}
	}
	return false
}

func (p *parser) sign() (node, *Error) {
	t := p.token
	switch {
	case t.kind == tokenLiteral:
		return constant{t.value}, p.advance()
	case t.kind == tokenName:
		return name(t.text), p.advance()
	case t.kind == tokenKeyword && t.text == "TRUE":
		return constant{Bool(true)}, p.advance()
	case t.kind == tokenKeyword && t.text == "FALSE":
		return constant{Bool(false)}, p.advance()
	case t.kind == tokenKeyword && t.text == "NULL":
		return constant{}, p.advance()
	case t.kind == tokenSign && (t.text == "+" || t.text == "-"):
		return p.signed(t.text)
	case t.kind == tokenSign && t.text == "(":
		return p.parenthesis()
	case t.kind == tokenKeyword && (t.text == "XPATH" || t.text == "XQUERY"):
		return nil, errorAt(t.at, "%s is not supported", t.text)
	case t.kind == tokenEnd:
		return nil, errorAt(t.at, "the filter ends too early")
	}
	return nil, errorAt(t.at, "%q stands where a value should", t.text)
}

func (p *parser) signed(text string) (node, *Error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if err := p.advance(); err != nil {
		return nil, err
	}
	of, err := p.sign()
	if err != nil || text == "+" {
		return of, err
	}
	if c, ok := of.(constant); ok && c.value.kind == kindFloat && c.value.float == 1<<63 {
		return constant{Int(-1 << 63)}, nil // the one whole number that has no positive twin
	}
	return fold(operation{op: '-', left: constant{Int(0)}, right: of}), nil
}

func (p *parser) parenthesis() (node, *Error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if err := p.advance(); err != nil {
		return nil, err
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	return n, p.expect(tokenSign, ")")
}
