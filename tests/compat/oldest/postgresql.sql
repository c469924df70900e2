create sequence numbers start 41;
create table items (id int primary key default nextval('numbers'), name text not null, price numeric(8,2), made timestamptz);
insert into items (name, price, made) values ('tea', 3.50, '2001-02-03 04:05:06+00'), ('süß "x"', null, null);
create view cheap as select id, name from items where price < 4;
create function upper_name() returns trigger language plpgsql as $$ begin new.name := upper(new.name); return new; end $$;
create trigger shout before insert on items for each row execute function upper_name();
