package aio

func platformOpeners() []opener {
	return []opener{{EngineUring, openUring}, {EngineLibaio, openLibaio}}
}
