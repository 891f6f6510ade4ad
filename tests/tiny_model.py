"""A language model made on the spot: a few thousand random weights and a tokenizer of bytes. What it says is noise.

`python tests/tiny_model.py FOLDER` writes it there, so that a real server has something to serve and fetches nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

TEMPLATE = "{% for message in messages %}<s>{{ message['role'] }}: {{ message['content'] }}{% endfor %}<s>assistant: "


def make(folder: Path) -> None:
    """Write a Llama of random weights with its tokenizer; the same one each time."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    signs = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={sign: n for n, sign in enumerate(["<s>", "</s>", *signs])}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    whole = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")
    whole.chat_template = TEMPLATE
    whole.save_pretrained(folder)
    torch.manual_seed(4711)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=len(whole), max_position_embeddings=32_768, bos_token_id=0, eos_token_id=1, **shape)
    LlamaForCausalLM(config).save_pretrained(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
