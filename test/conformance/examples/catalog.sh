curl https://api.vipcloud.ai/v1/catalog
